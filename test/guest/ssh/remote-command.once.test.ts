import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { remoteCommand } from '../../../src/guest/ssh/remote-command.js'

/** Runs a command as sshd does, by a user's shell. */
function run({ command, firstLine }: ReturnType<typeof remoteCommand>): string {
  const printed = execFileSync('sh', ['-c', command], {
    input: firstLine,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return printed.toString().replace('MARK \n', '')
}

test('a program gets its arguments, whatever they hold, in a word that means the same to all shells', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''))),
      (texts) => {
        const arg = [...texts, "it's !! \\\\ \\ $x `y` %d\n"]
        const program = { path: 'printf', arg: ['%s|', ...arg], hasInput: false }
        const remote = remoteCommand(program, 'MARK')
        // csh: no newline, no "!"; fish: a backslash before nothing that means something after one.
        expect(remote.command).not.toMatch(/[\n!]|\\[^0]/)
        expect(run(remote)).toBe(arg.map((text) => `${text}|`).join(''))
      },
    ),
    { numRuns: 30 },
  )
})

test('what is longer than any sshd takes comes as the first line of the input', () => {
  const arg = ['%s', 'x'.repeat(20_000)]
  const remote = remoteCommand({ path: 'printf', arg, hasInput: true }, 'MARK')
  expect(remote.command.length).toBeLessThan(8000)
  expect(run(remote)).toBe(arg[1])
})

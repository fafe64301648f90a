import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { BIN, json, useWorkplace } from './states-command.js'

const place = useWorkplace()
const COMMANDS = [
  ...['build', 'list', 'run', 'graph', 'explain'],
  ...['show', 'check', 'get', 'set', 'unset', 'push', 'pop'],
  ...['extract', 'inject', 'gc', 'verify', 'doctor', 'convert'],
]

describe('states', () => {
  test('lists its commands, the exit codes and examples', async () => {
    const { exitCode, stdout } = await place.states(['--help'])
    expect(exitCode).toBe(0)
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*[[<]/gm)].map(([, name]) => name)
    expect(commands).toEqual([...COMMANDS, 'help'])
    expect(stdout).toContain('Exit codes: 0 done or true')
    expect(stdout).toContain('$ states show disk.qcow2')
  })

  test.each(COMMANDS)('%s has a help text with examples', async (command) => {
    const { exitCode, stdout } = await place.states([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Usage: states ${command}`)
    expect(stdout).toContain(`Examples:\n  $ states ${command}`)
    expect(stdout).toContain('--json')
  })

  test('helps by a command as well', async () => {
    const { stdout } = await place.states(['gc', '--help'])
    expect(await place.states(['help', 'gc'])).toEqual({ exitCode: 0, stdout, stderr: '' })
    const all = await place.states(['help'])
    expect(all).toMatchObject({ exitCode: 0, stderr: '' })
    expect(all.stdout).toContain('Usage: states [options] [command]')
  })

  test('says so when nothing can be written to its output', async () => {
    const args = ['-c', '"$0" "$1" --version >/dev/full', process.execPath, BIN]
    const { exitCode, stderr } = await execa('/bin/sh', args, { reject: false })
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^error DISK_FULL: the standard output cannot be written: [^\n]*$/)
  })

  test('tells its version', async () => {
    const text = await readFile(resolve(import.meta.dirname, '../../package.json'), 'utf8')
    const { version } = JSON.parse(text) as { version: string }
    expect(await place.states(['--version'])).toMatchObject({ exitCode: 0, stdout: version })
  })

  test.each([
    [[], 'no command given\n  See: states --help'],
    [['shwo'], `unknown command 'shwo'\n  (Did you mean show?)`],
    [['show'], `missing required argument 'target'\n  See: states show --help`],
    [['set'], `missing required argument 'target'\n  See: states set --help`],
    [['graph', '--format'], `argument missing\n  See: states graph --help`],
    [['show', 'a', '--jsno'], `unknown option '--jsno'\n  (Did you mean --json?)`],
    [['list', 'a', 'b'], `Expected 1 argument but got 2.\n  See: states list --help`],
    [
      ['show', 'a.qcow2', '--backend', 'extrenal'],
      'there is no backend "extrenal"\n  Did you mean external?',
    ],
    [
      ['show', 'a.qcow2', '--backend', 'live'],
      'the backend live works on a running QEMU\n  Say --qmp SOCKET',
    ],
    [
      ['show', 'a.qcow2', '--backend', 'internal', '--qmp', 's'],
      '--qmp goes with the backend live, not with internal',
    ],
    [['get', './a', 'b', '--disk', 'a'], '/a is given twice'],
    [['get', './a'], 'which state of /'],
    [['show', ''], 'the image is ""'],
    [['get', 'a.qcow2', 'b', '--output', 'c'], '--output goes with machine/state'],
    [['get', 'a'], 'a is neither an image nor machine/state'],
    [['get', 'a/b'], 'where is the overlay of a/b to go?'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stdout, stderr } = await place.states(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^error USAGE: /)
    expect(stderr).toContain(message)
  })

  test.each(['set', 'push', 'pop'])('%s refuses a state of the configuration', async (command) => {
    const { exitCode, stderr } = await place.states([command, 'debian/nginx'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error SETUP_ONLY: ${command} does not work on debian/nginx`)
  })

  test('prints errors as one JSON document where JSON is asked for', async () => {
    const result = await place.states(['show', '--json'])
    expect(result).toMatchObject({ exitCode: 2, stderr: '' })
    expect(json(result)).toEqual({
      error: {
        code: 'USAGE',
        message: `missing required argument 'target'`,
        hint: 'See: states show --help',
      },
    })
  })

  test('takes --json after -- for a name', async () => {
    const { stdout, stderr } = await place.states(['show', 'a.qcow2', '--', '--json'])
    expect(stdout).toBe('')
    expect(stderr).toContain('error ')
  })

  test('has colours only where they are wanted', async () => {
    expect((await place.states(['show'])).stderr).not.toContain('\x1b[')
    expect((await place.states(['show'], { env: { FORCE_COLOR: '1' } })).stderr).toContain('\x1b[')
    const env = { FORCE_COLOR: '1', NO_COLOR: '1' }
    expect((await place.states(['show'], { env })).stderr).not.toContain('\x1b[')
  })

  test('says where an error that nobody foresaw comes from only on demand', async () => {
    const broken = `
      import { promises } from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      promises.statfs = () => { throw new TypeError('boom') }
      syncBuiltinESMExports()`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}` }
    const { exitCode, stderr } = await place.states(['doctor'], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('error UNEXPECTED: TypeError: boom')
    expect(stderr).not.toContain('    at ')
    const debugged = await place.states(['doctor'], { env: { ...env, VM_STATES_DEBUG: '1' } })
    expect(debugged.stderr).toContain('    at ')
  })

  test('says nothing when its reader has seen enough', async () => {
    const child = spawn(process.execPath, [BIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    await once(child, 'close')
    expect(stderr).toBe('')
  })
})

import { readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { debianDisk } from '../support/debian/image.js'
import { makeProject } from './defined-project.js'
import { BIN, useWorkplace } from './states-command.js'

const place = useWorkplace()

const TIMEOUT = 1_800_000

test(
  'run --ssh logs in with a key of the user, and ends with the session',
  async () => {
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', place.path('key')])
    const key = (await readFile(place.path('key.pub'), 'utf8')).trim()
    await makeProject(
      place,
      `
      import { image, machine } from 'vitest-vm-states/states'
      export const debian = machine('debian', {
        image: image.file('${await debianDisk()}'),
        boot: 'cold',
        readyTimeout: ${TIMEOUT},
        cloudInit: { users: [{ name: 'ada', sshKeys: ['${key}'] }], userData: { locale: false } },
      })
      `,
    )
    const words = [process.execPath, BIN, 'run', 'debian', '--ssh', 'ada', '--identity', 'key']
    const line = words.map((word) => `'${word}'`).join(' ')
    const env = { HOME: place.path(''), TERM: 'dumb' }
    const options = { cwd: place.path(''), env, reject: false } as const
    const terminal = execa('script', ['-qfec', line, '/dev/null'], options)
    let said = ''
    terminal.stdout?.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
    const until = (text: RegExp) =>
      expect.poll(() => said, { timeout: TIMEOUT, interval: 100 }).toMatch(text)
    await until(/A session by ssh/)
    await until(/ada@\S+:/)
    terminal.stdin?.write('echo I am $(whoami) by $SSH_TTY\r')
    await until(/I am ada by \/dev\/pts/)
    terminal.stdin?.write('exit\r')
    expect(await terminal).toMatchObject({ exitCode: 0 })
  },
  TIMEOUT,
)

test(
  'a machine that is talked to over ssh is entered as its user, by the key of the store',
  async () => {
    await makeProject(
      place,
      `
    import { image, machine } from 'vitest-vm-states/states'
    export const tiny = machine('tiny', { image: image.tiny(), guest: 'ssh', firstBoot: {}, memory: '128 MiB' })
    `,
    )
    const running = place.start(['run', 'tiny', '--ssh', '--json'])
    let said = ''
    running.stdout?.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
    await expect.poll(() => said, { timeout: TIMEOUT, interval: 100 }).toContain('\n')
    const { ssh } = JSON.parse(said) as { ssh: string[] }
    const [client = '', ...args] = ssh
    const home = { HOME: place.path('') }
    const options = ['-F', 'none', '-o', 'BatchMode=yes']
    expect((await execa(client, [...options, ...args, 'whoami'], { env: home })).stdout).toBe(
      'root',
    )
    running.kill('SIGINT')
    await running
  },
  TIMEOUT,
)

test('run refuses ways that do not go together, and users that are none', async () => {
  await makeProject(place, 'export {}')
  const usage = async (...args: string[]) =>
    (await place.states(['run', 'tiny/warm', ...args])).stderr
  expect(await usage('--ssh', '--shell')).toContain('--shell and --ssh do not go together')
  expect(await usage('--identity', 'key')).toContain('--identity goes with --ssh')
  expect(await usage('--ssh=-oProxyCommand=x')).toContain('not the name of a user')
})

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchBare, temporaryDirectory } from './bare-machine.js'

test('QEMU is started by a wrapper that becomes it', async () => {
  const wrapper = ['nice', '-n', '7', 'env', 'WRAPPED=yes']
  const machine = await launchBare({ paused: true, wrapper })
  const [, fields = ''] = readFileSync(`/proc/${machine.pid}/stat`, 'utf8').split(') ')
  expect(fields.split(' ')[16]).toBe('7')
  expect(readFileSync(`/proc/${machine.pid}/environ`, 'utf8')).toContain('WRAPPED=yes')
  await machine.close()
  expect(machine.running).toBe(false)
})

test('a wrapper that runs QEMU as another process is refused, and leaves none', async () => {
  const pidFile = join(await temporaryDirectory(), 'pid')
  const script = `"$@" & echo $! >${pidFile}; wait`
  const launched = launchBare({ paused: true, wrapper: ['sh', '-c', script, 'sh'] })
  await expect(launched).rejects.toMatchObject({
    code: 'WRAPPER_STAYS',
    hint: expect.stringContaining('strace does with -D'),
  })
  const pid = readFileSync(pidFile, 'utf8').trim()
  await expect
    .poll(
      () => !existsSync(`/proc/${pid}`) || / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    )
    .toBe(true)
})

test('a wrapper that does not start QEMU is told with what it said', async () => {
  await expect(
    launchBare({ wrapper: ['sh', '-c', 'echo "no luck" >&2; exit 3'] }),
  ).rejects.toMatchObject({
    code: 'QEMU_EXITED',
    message: expect.stringMatching(/exit code 3.*no luck/s),
  })
})

test('QEMU inherits files, for arguments that take a descriptor', async () => {
  const directory = await temporaryDirectory()
  const paths = ['one', 'two'].map((name) => join(directory, name))
  for (const path of paths) await writeFile(path, 'some text')
  const machine = await launchBare({
    paused: true,
    extraFds: paths,
    extraArgs: ['-add-fd', 'fd=10,set=1,opaque=one', '-add-fd', 'fd=11,set=2,opaque=two'],
  })
  // QEMU moves them to other descriptors.
  const files = `/proc/${machine.pid}/fd`
  const open = readdirSync(files).map((fd) => readlinkSync(join(files, fd)))
  expect(open).toEqual(expect.arrayContaining(paths))
  const sets = (await machine.qmp.execute('query-fdsets')) as { fds: { opaque: string }[] }[]
  expect(sets.map(({ fds }) => fds[0]?.opaque).sort()).toEqual(['one', 'two'])
  const missing = launchBare({ extraFds: [join(directory, 'three')] })
  await expect(missing).rejects.toMatchObject({ code: 'DISK_UNREADABLE' })
})

import { chmod, mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

async function raw(name: string): Promise<string> {
  const file = place.path(name)
  await writeFile(file, Buffer.alloc(4 * 2 ** 20, 7))
  return file
}

const compare = (one: string, other: string) =>
  execa('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', one, other], { reject: false })

describe('states convert', () => {
  test('copies a raw image into a new qcow2 image', async () => {
    const source = await raw('disk.img')
    const target = place.path('disk.qcow2')
    const result = await place.states(['convert', 'disk.img', 'disk.qcow2', '--json'])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(json(result)).toEqual({ source, target })
    expect((await compare(source, target)).exitCode).toBe(0)
  })

  test('needs to be told the format where the name does not tell', async () => {
    const source = await raw('disk')
    const { exitCode, stderr } = await place.states(['convert', source, 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error IMAGE_FORMAT_UNCLEAR: ')
    const told = await place.states(['convert', source, 'disk.qcow2', '--format', 'raw'])
    expect(told.exitCode).toBe(0)
    expect((await compare(source, place.path('disk.qcow2'))).exitCode).toBe(0)
  })

  test('replaces a target only when told', async () => {
    const source = await raw('disk.img')
    await writeFile(place.path('disk.qcow2'), 'precious')
    const { exitCode, stderr } = await place.states(['convert', source, 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error USAGE: ${place.path('disk.qcow2')} is there already`)
    expect((await place.states(['convert', source, 'disk.qcow2', '--force'])).exitCode).toBe(0)
    expect((await compare(source, place.path('disk.qcow2'))).exitCode).toBe(0)
  })

  test('refuses a truncated image instead of taking what is missing for zeros', async () => {
    const source = place.path('cut.qcow2')
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', source, '64M'])
    await truncate(source, 100_000)
    const { exitCode, stderr } = await place.states(['convert', source, 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error IMAGE_DAMAGED: ${source} is truncated or corrupt`)
    expect(await readdir(place.path(''))).toEqual(['cut.qcow2'])
  })

  test('refuses a circle of backing files instead of following it without end', async () => {
    const [one, other] = [place.path('one.qcow2'), place.path('other.qcow2')]
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', one, '1M'])
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', one, '-F', 'qcow2', other])
    await execa('qemu-img', ['rebase', '-u', '-b', other, '-F', 'qcow2', one])
    const { exitCode, stderr } = await place.states(['convert', one, 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error IMAGE_UNSUPPORTED: ')
    expect(stderr).toContain(`is its own backing file, through ${one}`)
  })

  test('refuses a named pipe instead of waiting for its writer', async () => {
    const source = place.path('pipe.img')
    await execa('mkfifo', [source])
    const { exitCode, stderr } = await place.states(['convert', source, 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toBe(`error IMAGE_UNSUPPORTED: ${source} is not a file`)
  })

  test('says clearly that a source is missing', async () => {
    const { exitCode, stderr } = await place.states(['convert', 'nowhere.img', 'disk.qcow2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error IMAGE_MISSING: ')
  })

  test('tells what takes so long, and leaves nothing behind after Ctrl-C', async () => {
    const source = await raw('disk.img')
    // The real program, slowed down so that it is still at work when it is interrupted.
    const slow = '#!/bin/sh\nshift\nexec /usr/bin/qemu-img convert -r 10240 "$@"\n'
    await mkdir(place.path('bin'))
    await writeFile(place.path('bin/qemu-img'), slow)
    await chmod(place.path('bin/qemu-img'), 0o755)
    const env = { PATH: `${place.path('bin')}:${process.env.PATH}` }
    const command = place.start(['convert', source, 'disk.qcow2'], { env })
    const [progress] = (await new Promise((resolve) =>
      command.stderr.once('data', (...data) => resolve(data)),
    )) as [Buffer]
    expect(String(progress)).toBe(`converting ${source} …\n`)
    command.kill('SIGINT')
    const { exitCode } = await command
    expect(exitCode).toBe(130)
    expect((await readdir(place.path('.'))).sort()).toEqual(['bin', 'disk.img'])
  })
})

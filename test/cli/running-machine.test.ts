import { once } from 'node:events'
import { execa, type ResultPromise } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()
let qemu: ResultPromise
let disk: string
let socket: string

beforeEach(async () => {
  disk = place.path('disk.qcow2')
  socket = place.path('qmp.sock')
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1M'])
  const machine = ['-nodefaults', '-display', 'none', '-m', '16', '-accel', 'tcg']
  const drive = ['-drive', `file=${disk},format=qcow2,if=virtio`]
  // The second monitor greets once QEMU is up, and with it the first.
  const monitors = ['-qmp', `unix:${socket},server=on,wait=off`, '-qmp', 'stdio']
  qemu = execa('qemu-system-x86_64', [...machine, ...drive, ...monitors], { reject: false })
  if (qemu.stdout) await once(qemu.stdout, 'data')
})

afterEach(async () => {
  qemu.kill('SIGKILL')
  await qemu
})

describe('states of a running machine', () => {
  const run = (...args: string[]) => place.states([...args, '--qmp', socket])

  test('are set, shown, got and unset while it runs', async () => {
    expect(json(await run('set', disk, 'busy', '--json'))).toEqual({
      outcome: 'created',
      state: 'busy',
      backend: 'live',
      image: disk,
    })
    const { stdout } = await run('show', disk)
    expect(stdout).toMatch(/^busy +live +live +[\d.]+ [KM]iB +\d{4}-\d\d-\d\d /m)
    expect(await run('get', disk, 'busy')).toMatchObject({
      exitCode: 0,
      stdout: `${disk} is back at "busy"`,
    })
    expect((await run('push', disk, 'busy')).exitCode).toBe(1)
    expect((await run('unset', disk, 'busy')).exitCode).toBe(0)
    expect((await run('check', disk, 'busy')).exitCode).toBe(1)
    expect(qemu.exitCode).toBeNull()
  })

  test('are shown and removed when it is off, and only got while it runs', async () => {
    await run('set', disk, 'busy')
    qemu.kill('SIGKILL')
    await qemu
    expect((await place.states(['show', disk])).stdout).toMatch(/^busy +live +live /m)
    const { exitCode, stderr } = await place.states(['get', disk, 'busy'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`error MACHINE_NOT_RUNNING: ${disk}: a live state needs a running`)
    expect((await place.states(['unset', disk, 'busy'])).exitCode).toBe(0)
    expect((await place.states(['show', disk])).stdout).toBe(`${disk} has no states`)
  })

  test('begin with boot: that it runs', async () => {
    expect(await run('check', disk, 'boot')).toMatchObject({
      exitCode: 0,
      stdout: `${disk} has state "boot"`,
    })
    const nowhere = await place.states(['check', disk, 'boot', '--qmp', `${socket}2`])
    expect(nowhere).toMatchObject({ exitCode: 1, stderr: '' })
    expect((await run('check', place.path('other.qcow2'), 'boot')).exitCode).toBe(2)
    expect((await run('set', disk, 'boot')).stderr).toContain('INVALID_NAME')
  })

  test('are not taken of an image that the machine does not have', async () => {
    const other = place.path('other.qcow2')
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', other, '1M'])
    const { exitCode, stderr } = await run('set', other, 'busy')
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain(other)
  })

  test('need a QEMU that listens', async () => {
    const { exitCode, stderr } = await place.states(['set', disk, 'busy', '--qmp', `${socket}2`])
    expect(exitCode).toBe(3)
    expect(stderr).toContain(`error QMP_CONNECTION_LOST: ${socket}2`)
  })
})

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { QmpClient } from '../../../src/qemu/qmp/client.js'
import { launchBare, temporaryDirectory } from '../machine/bare-machine.js'
import { scriptedPeer } from './scripted-peer.js'

async function launchWithDisk() {
  const file = join(await temporaryDirectory(), 'disk.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '16M'])
  return launchBare({ disks: [{ name: 'root', file, format: 'qcow2' }] })
}

const args = (tag: string) => ({ tag, vmstate: 'disk-root', devices: ['disk-root'] })

test('a job runs to its end and leaves nothing in QEMU', async () => {
  const { qmp } = await launchWithDisk()
  await qmp.runJob('snapshot-save', args('one'))
  expect(await qmp.humanMonitor('info snapshots')).toContain('one')
  await qmp.runJob('snapshot-load', args('one'))
  await qmp.runJob('snapshot-delete', { tag: 'one', devices: ['disk-root'] })
  expect(await qmp.humanMonitor('info snapshots')).not.toContain('one')
  expect(await qmp.execute('query-jobs')).toEqual([])
})

test('a job that concluded with an error has failed, and is dismissed all the same', async () => {
  const { qmp } = await launchWithDisk()
  await qmp.runJob('snapshot-save', args('one'))
  await expect(qmp.runJob('snapshot-save', args('one'))).rejects.toMatchObject({
    code: 'QMP_COMMAND_FAILED',
    message: expect.stringMatching(/^snapshot-save: .*already exists/),
  })
  expect(await qmp.execute('query-jobs')).toEqual([])
})

test('a job that QEMU does not start is an error', async () => {
  const { qmp } = await launchWithDisk()
  const job = qmp.runJob('snapshot-save', { tag: 'one' })
  await expect(job).rejects.toMatchObject({ code: 'QMP_COMMAND_FAILED' })
  expect(await qmp.execute('query-jobs')).toEqual([])
})

test('a job that is late is dismissed when it ends', async () => {
  const peer = scriptedPeer()
  const client = await QmpClient.open(peer.stream)
  const job = client.runJob('snapshot-save', args('one'), { timeout: 100 })
  const started = await peer.next()
  peer.send(`{"return":{},"id":${started.id}}\r\n`)
  await expect(job).rejects.toMatchObject({ code: 'TIMEOUT' })
  const id = started.arguments?.['job-id']
  peer.send(`{"event":"JOB_STATUS_CHANGE","data":{"id":"${id}","status":"concluded"}}\r\n`)
  expect((await peer.next()).execute).toBe('query-jobs')
  expect(await peer.next()).toMatchObject({ execute: 'job-dismiss', arguments: { id } })
})

test('the end of QEMU ends the wait for its job', async () => {
  const peer = scriptedPeer()
  const client = await QmpClient.open(peer.stream)
  const job = client.runJob('snapshot-save', args('one'))
  const started = await peer.next()
  peer.send(`{"return":{},"id":${started.id}}\r\n`)
  peer.end()
  await expect(job).rejects.toMatchObject({ code: 'QMP_CONNECTION_LOST' })
})

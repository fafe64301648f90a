import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { QmpClient } from '../../../src/qemu/qmp/client.js'
import { connectQmp } from '../../../src/qemu/qmp/connect.js'
import type { QmpEvent } from '../../../src/qemu/qmp/message.js'
import { launchBare, temporaryDirectory } from '../machine/bare-machine.js'
import { scriptedPeer } from './scripted-peer.js'

test('commands are answered, and refused with the words of QEMU', async () => {
  const { qmp } = await launchBare({ paused: true })
  expect(await qmp.execute('query-name')).toEqual({ name: 'bare' })
  expect(await qmp.version).toMatch(/^\d+\.\d+\.\d+$/)
  await expect(qmp.execute('no-such-command')).rejects.toMatchObject({
    code: 'QMP_COMMAND_FAILED',
    message: 'no-such-command: The command no-such-command has not been found',
  })
})

test('text that JSON can hold and QEMU cannot read is refused, not waited for', async () => {
  const { qmp } = await launchBare({ paused: true })
  const command = qmp.execute('query-name', { text: '\ud800' }, { timeout: 5000 })
  await expect(command).rejects.toMatchObject({ code: 'QMP_COMMAND_FAILED' })
  expect(await qmp.execute('query-name')).toEqual({ name: 'bare' })
})

test('errors of the human monitor are errors, its output is output', async () => {
  const { qmp } = await launchBare({ paused: true })
  expect(await qmp.humanMonitor('info status')).toContain('VM status')
  for (const wrong of ['no_such_command', 'loadvm nothing', 'info nothing', 'cont now', 'sum x']) {
    await expect(qmp.humanMonitor(wrong), wrong).rejects.toMatchObject({
      code: 'QMP_COMMAND_FAILED',
    })
  }
})

test('events reach their listeners until they are taken off', async () => {
  const { qmp } = await launchBare({ paused: true })
  const seen: QmpEvent[] = []
  const off = qmp.on('RESUME', (event) => seen.push(event))
  await qmp.execute('cont')
  off()
  await qmp.execute('stop')
  await qmp.execute('cont')
  expect(seen).toHaveLength(1)
  expect(Math.abs((seen[0]?.time ?? 0) - Date.now())).toBeLessThan(60_000)
})

test('waiting for an event ends with the event that matches', async () => {
  const { qmp } = await launchBare()
  const stopped = qmp.waitForEvent('STOP', { timeout: 5000 })
  await qmp.execute('stop')
  expect((await stopped).name).toBe('STOP')
  const never = qmp.waitForEvent('RESUME', { match: () => false, timeout: 100 })
  await qmp.execute('cont')
  await expect(never).rejects.toMatchObject({ code: 'TIMEOUT' })
})

test('the end of QEMU rejects all that is pending', async () => {
  const machine = await launchBare()
  const event = machine.qmp.waitForEvent('GUEST_PANICKED')
  process.kill(machine.pid, 'SIGSTOP')
  const command = machine.qmp.execute('query-status')
  process.kill(machine.pid, 'SIGKILL')
  const lost = { code: 'QMP_CONNECTION_LOST' }
  await expect(command).rejects.toMatchObject(lost)
  await expect(event).rejects.toMatchObject(lost)
  await expect(machine.qmp.execute('query-status')).rejects.toMatchObject(lost)
  await expect(machine.qmp.waitForEvent('STOP')).rejects.toMatchObject(lost)
  expect(machine.qmp.connected).toBe(false)
})

test('a command has a deadline, and can be cancelled', async () => {
  const machine = await launchBare()
  process.kill(machine.pid, 'SIGSTOP')
  const controller = new AbortController()
  const late = machine.qmp.execute('query-status', undefined, { timeout: 50 })
  const cancelled = machine.qmp.execute('query-name', undefined, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') })
  await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' })
  process.kill(machine.pid, 'SIGCONT')
  expect(await machine.qmp.execute('query-name')).toEqual({ name: 'bare' })
})

test('a command that is cancelled beforehand is not sent', async () => {
  const { qmp } = await launchBare()
  const signal = AbortSignal.abort()
  await expect(qmp.execute('stop', undefined, { signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  expect(await qmp.execute('query-status')).toMatchObject({ running: true })
})

test('answers find their commands in any order', async () => {
  const peer = scriptedPeer()
  const client = await QmpClient.open(peer.stream)
  const answers = [client.execute('one'), client.execute('two')]
  const [one, two] = [await peer.next(), await peer.next()]
  peer.send(`{"return":"second","id":${two.id}}\r\n{"return":"first","id":${one.id}}\r\n`)
  expect(await Promise.all(answers)).toEqual(['first', 'second'])
})

test('characters and messages may be cut anywhere', async () => {
  const peer = scriptedPeer()
  const client = await QmpClient.open(peer.stream)
  const answer = client.execute('query')
  const { id } = await peer.next()
  const event = client.waitForEvent('TEXT')
  const messages = `{"event":"TEXT","data":{"text":"žluťoučký 🐎"}}\r\n{"return":"кінь","id":${id}}\r\n`
  for (const byte of Buffer.from(messages)) peer.send(Uint8Array.of(byte))
  expect((await event).data).toEqual({ text: 'žluťoučký 🐎' })
  expect(await answer).toBe('кінь')
})

test('what is not QMP ends the connection', async () => {
  const peer = scriptedPeer()
  const client = await QmpClient.open(peer.stream)
  const answer = client.execute('query')
  peer.send('HTTP/1.1 400 Bad Request\r\n')
  await expect(answer).rejects.toMatchObject({ code: 'QMP_CONNECTION_LOST' })
})

test('a peer that does not greet is given up', async () => {
  const opened = QmpClient.open(scriptedPeer(false).stream, { timeout: 50 })
  await expect(opened).rejects.toMatchObject({ code: 'TIMEOUT' })
})

test('a connection that had ended before is told at once', async () => {
  const stream = new PassThrough()
  stream.destroy()
  await once(stream, 'close')
  await expect(QmpClient.open(stream, { timeout: 5000 })).rejects.toMatchObject({
    code: 'QMP_CONNECTION_LOST',
  })
})

test('a QEMU of the user is reached by its socket', async () => {
  const path = join(await temporaryDirectory(), 'qmp')
  await launchBare({ extraArgs: ['-qmp', `unix:${path},server=on,wait=off`] })
  const client = await connectQmp(path)
  expect(await client.execute('query-name')).toEqual({ name: 'bare' })
  client.close()
  const again = await connectQmp(path)
  again.close()
  await expect(again.execute('query-name')).rejects.toMatchObject({ code: 'QMP_CONNECTION_LOST' })
})

test('a socket that nobody listens on, or no QEMU, is a clear error', async () => {
  const directory = await temporaryDirectory()
  await expect(connectQmp(join(directory, 'none'))).rejects.toMatchObject({
    code: 'QMP_CONNECTION_LOST',
    message: expect.stringContaining('no QEMU answers there'),
  })
  const path = join(directory, 'closing')
  const server = createServer((socket) => socket.end()).listen(path)
  await expect(connectQmp(path)).rejects.toMatchObject({ code: 'QMP_CONNECTION_LOST' })
  server.close()
})

import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { launchBare } from './bare-machine.js'

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy())
}

test('forwards get free ports, are listed, and are removed', async () => {
  const machine = await launchBare()
  const [ssh, again] = [await machine.forwardPort(22), await machine.forwardPort(22)]
  const web = await machine.forwardPort(80)
  expect(ssh.guestPort).toBe(22)
  expect(new Set([ssh.hostPort, again.hostPort, web.hostPort]).size).toBe(3)
  expect(await machine.portForwards()).toEqual(expect.arrayContaining([ssh, again, web]))
  expect(await accepts(ssh.hostPort)).toBe(true)
  await machine.removePortForward(ssh.hostPort)
  expect(await machine.portForwards()).toHaveLength(2)
  expect(await accepts(ssh.hostPort)).toBe(false)
})

test('a host port that is taken is refused, a free one is used', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const machine = await launchBare({ network: 'isolated' })
  await expect(machine.forwardPort(22, port)).rejects.toMatchObject({
    code: 'PORT_FORWARD_FAILED',
    message: expect.stringContaining(`port ${port} of the host cannot be forwarded to port 22`),
  })
  server.close()
  await once(server, 'close')
  expect(await machine.forwardPort(22, port)).toEqual({ guestPort: 22, hostPort: port })
})

test.each([0, -1, 65_536, 1.5, Number.NaN])('%d is no port of a guest', async (port) => {
  const machine = await launchBare()
  await expect(machine.forwardPort(port)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
})

test('a machine without a network card has no forwards', async () => {
  const machine = await launchBare({ network: 'none' })
  await expect(machine.forwardPort(22)).rejects.toMatchObject({ code: 'PORT_FORWARD_FAILED' })
  await expect(machine.removePortForward(1022)).rejects.toMatchObject({
    code: 'PORT_FORWARD_FAILED',
  })
})

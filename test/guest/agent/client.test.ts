import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { AgentClient } from '../../../src/guest/agent/client.js'
import { runProgram } from '../../../src/guest/exec/run.js'
import { rejection } from '../tiny-vm.js'

interface Request {
  execute: string
  arguments: { id?: number; pid?: number }
}

// A real agent cannot be made to lose a command, or to be slow, at a given moment.
function scriptedAgent(onCommand: (request: Request, answer: (line: string) => void) => void) {
  const [host, guest] = duplexPair()
  const answer = (line: string) => guest.write(`${line}\n`)
  let rest = ''
  guest.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const request = JSON.parse(line.replace('\xff', '')) as Request
      if (request.execute !== 'guest-sync-delimited') onCommand(request, answer)
      else guest.write(Buffer.from(`\xff{"return":${request.arguments.id}}\n`, 'latin1'))
    }
  })
  return new AgentClient(host)
}

test('a command that a restarted agent has forgotten is an error long before its deadline', async () => {
  let lost = false
  const agent = scriptedAgent((request, answer) => {
    if (lost) answer(`{"return":{"exited":true,"exitcode":${request.arguments.pid}}}`)
    lost = true
  })
  const start = performance.now()
  const forgotten = rejection(agent.execute('guest-exec-status', { pid: 1 }))
  const next = agent.execute('guest-exec-status', { pid: 2 })
  expect(await forgotten).toMatchObject({
    code: 'GUEST_AGENT_SILENT',
    shortMessage: 'the guest agent was restarted and knows nothing of guest-exec-status',
  })
  expect(performance.now() - start).toBeLessThan(6000)
  expect(await next).toEqual({ exited: true, exitcode: 2 })
})

test.each([
  ['up to QEMU 8.1', "Invalid parameter 'pid'"],
  ['of later ones', 'PID ld does not exist'],
])('a process that a restarted agent %s does not know is told as such', async (_, desc) => {
  const agent = scriptedAgent(({ execute }, answer) => {
    if (execute === 'guest-exec') answer('{"return":{"pid":7}}')
    else answer(JSON.stringify({ error: { class: 'GenericError', desc } }))
  })
  const error = await rejection(runProgram(agent, { path: 'true', arg: [] }))
  expect(error).toMatchObject({
    code: 'GUEST_AGENT_SILENT',
    shortMessage: 'the guest agent was restarted and knows nothing of its process 7',
  })
})

test('an agent that is only slow gets its time, and its answers stay in step', async () => {
  const late: string[] = []
  const [host, guest] = duplexPair()
  const agent = new AgentClient(host)
  let syncs = 0
  guest.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString('latin1').split('\n')) {
      const id = /"id":(\d+)/.exec(line)?.[1]
      const pid = /"pid":(\d+)/.exec(line)?.[1]
      if (id !== undefined) late.push(`\xff{"return":${id}}\n`)
      if (pid !== undefined) late.push(`{"return":{"exited":true,"exitcode":${pid}}}\n`)
      if (id !== undefined) syncs += 1
    }
    // It answers in order: at once until it is in sync, then only after it was asked about itself.
    if (syncs !== 1 || late.length !== 1 || late[0]?.startsWith('\xff')) {
      guest.write(Buffer.from(late.splice(0).join(''), 'latin1'))
    }
  })
  const first = await agent.execute('guest-exec-status', { pid: 1 })
  expect(first).toEqual({ exited: true, exitcode: 1 })
  expect(syncs).toBe(2)
  expect(await agent.execute('guest-exec-status', { pid: 2 })).toEqual({
    exited: true,
    exitcode: 2,
  })
})

test('a program is looked for less often the longer its start took, and its end is told soon all the same', async () => {
  let looks = 0
  let endsAt = Number.POSITIVE_INFINITY
  const agent = scriptedAgent(({ execute }, answer) => {
    if (execute === 'guest-exec') {
      endsAt = performance.now() + 300 + 100
      globalThis.setTimeout(answer, 300, '{"return":{"pid":1}}')
      return
    }
    looks += 1
    const isOver = performance.now() >= endsAt
    answer(`{"return":{"exited":${isOver}${isOver ? ',"exitcode":0' : ''}}}`)
  })
  expect((await runProgram(agent, { path: 'true', arg: [] })).exitcode).toBe(0)
  // Every 30 ms and more; again and again until a tenth of the time is a millisecond, there would be hundreds.
  expect(looks).toBeGreaterThan(0)
  expect(looks).toBeLessThanOrEqual(5)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { whoAmI } from '../../../src/store/owner/host.js'
import { parseStat, processStatus, startTimeOf } from '../../../src/store/owner/process-status.js'

test('this thread runs', async () => {
  expect(await processStatus(whoAmI().self)).toBe('running')
})

test('a process with the same pid and another start time is not the same process', async () => {
  expect(await processStatus({ ...whoAmI().self, startTime: '1' })).toBe('ended')
})

test('a zombie has ended, although its pid can still be signalled', async () => {
  const script = '(read line <&3) & echo $!; exec sleep 1000'
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [printed] = (await once(parent.stdio[1] as Readable, 'data')) as [Buffer]
  const pid = Number(printed.toString())
  const readParent = () => readFile(`/proc/${parent.pid}/comm`, 'utf8')
  await expect.poll(readParent, { timeout: 10_000 }).toBe('sleep\n')
  const input = parent.stdio[3] as Writable
  input.end('\n')
  const readZombie = async () => parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
  await expect.poll(readZombie, { timeout: 10_000 }).toMatchObject({ state: 'Z' })
  const { startTime } = await readZombie()
  expect(process.kill(pid, 0)).toBe(true)
  expect(await processStatus({ pid, thread: pid, startTime })).toBe('ended')
  expect(await startTimeOf(pid)).toBeUndefined()
})

test('the name of a program may hold anything', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const numbers = Array.from({ length: 48 }, (_, index) => index + 4).join(' ')
      expect(parseStat(`12 (${name}) S ${numbers}`)).toEqual({
        state: 'S',
        parent: 4,
        startTime: '22',
      })
    }),
  )
})

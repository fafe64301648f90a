import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Vm } from '../../../../src/guest/vm.js'
import { bootTiny, rejection, type TinyVm } from '../../tiny-vm.js'

const MINUTES = 300_000

let tiny: TinyVm
let vm: Vm

beforeAll(async () => {
  tiny = await bootTiny({ channel: 'console' })
  vm = tiny.vm
  await vm.ready()
}, MINUTES)
afterAll(() => tiny[Symbol.asyncDispose]())

test(
  'what others write on the console while a command runs is no other prompt',
  async () => {
    for (const [text, times] of [
      ['pam_unix(login:', 1],
      ['box login: ', 1],
      [' 10%', 4],
      ['\\nstill 10%', 1],
    ]) {
      const script = `for i in $(seq ${times}); do printf "${text}" >/dev/console; sleep 3; done`
      const result = await vm.exec('sh', ['-c', `${script.replace('%', '%%')}; echo done`])
      expect(result.stdout).toBe('done')
    }
  },
  MINUTES,
)

test(
  'a shell that is there instead is found soon, and so is a login',
  async () => {
    for (const [program, found] of [
      ['sh', 'there is another shell instead'],
      [
        'while :; do printf "\\n\\nbox login: "; read name; done',
        'there is a login prompt instead',
      ],
    ] as const) {
      await vm.console.login()
      const instead = `setsid sh -c 'exec <>/dev/ttyS0 >&0 2>&0; stty echo; ${program}' & kill -STOP $PPID; sleep 1000`
      const error = await rejection(vm.exec('sh', ['-c', instead], { timeout: 60_000 }))
      expect(error).toMatchObject({ code: 'GUEST_CONSOLE_LOST' })
      expect(error.message).toContain(found)
    }
  },
  MINUTES,
)

import { expect, test } from 'vitest'
import { withoutConversation } from '../../../../src/guest/console/shell/conversation.js'

const N = 'vms-0123abcd'

test('what our shell says is left out, and all else is kept', () => {
  const text = [
    'Debian GNU/Linux 12',
    `${N}.0$ `,
    `${N}:base64:root:`,
    `${N}.11$ [   12.3] eth0: link up`,
    `${N}=0 6 0=`,
    `${N}@/dev/shm/${N}.7 6@`,
    `${N}!/dev/shm/${N}.7!`,
    `${N}+o0+`,
    'aGVsbG8K',
    `${N}-o0-`,
    `${N}+e0+`,
    `${N}-e0-`,
    `${N}.12$ `,
    '[   13.0] a message',
  ]
  expect(withoutConversation(text.join('\r\n'))).toBe(
    ['Debian GNU/Linux 12', '', '[   12.3] eth0: link up', '', '[   13.0] a message'].join('\r\n'),
  )
})

test('a block whose beginning was cut off is left out, too', () => {
  const text = ['bG8K', 'aGVsbG8K', `${N}-o0-`, 'a message', `${N}+e0+`, `${N}-e0-`, '']
  expect(withoutConversation(text.join('\n'))).toBe('a message\n')
})

test('a console without our shell is as it was', () => {
  const text = 'login: vms\r\nvms-x+o0+\r\n$ echo 1=1:\r\n'
  expect(withoutConversation(text)).toBe(text)
})

test('what the kernel says in the midst of a block, or of its lines, is kept', () => {
  const oops = '[   14.0] Oops: BUG'
  for (const text of [
    [`${N}+o0+`, 'aGVs', oops, `${N}-o0-`, ''],
    [`${N}[ 5.0] hi`, '+o0+', 'aGVs', oops, `${N}-o0-`, ''],
    [`${N}+o0+`, 'aGVs', `${N}${oops}`, '-o0-', `${N}+o0+`, 'aGVs', `${N}-o0-`, ''],
  ]) {
    expect(withoutConversation(text.join('\n'))).toContain(oops)
  }
})

test('takes no long time for a long text', () => {
  const text = 'a line of a kernel that has much to say\n'.repeat(100_000)
  expect(withoutConversation(text)).toBe(text)
})

import { expect, test } from 'vitest'
import { monitorError } from '../../../src/qemu/qmp/monitor-text.js'

test.each([
  ['savevm x', 'Error: No block device can accept snapshots\r\n'],
  ['delvm x', 'Snapshot not there'],
  ['hostfwd_add net0 tcp::1-:2', "could not set up host forwarding rule 'tcp::1-:2'"],
  ['hostfwd_remove net0 tcp:127.0.0.1:1', 'host forwarding rule for tcp:127.0.0.1:1 not found\r\n'],
  ['nonsense', "unknown command: 'nonsense'"],
  [
    'info network x',
    'info: extraneous characters at the end of line\nTry "help info" for more information',
  ],
])('%s: %s is an error', (command, text) => {
  expect(monitorError(command, text)).not.toBeUndefined()
})

test.each([
  ['savevm x', ''],
  ['savevm x', 'warning: something is deprecated\r\n'],
  ['info status', 'VM status: paused (io-error)\r\n'],
  ['info snapshots', 'ID  TAG\r\n--  Error: a tag of this name'],
  ['hostfwd_remove net0 tcp:127.0.0.1:1', 'host forwarding rule for tcp:127.0.0.1:1 removed\r\n'],
])('%s: %s is none', (command, text) => {
  expect(monitorError(command, text)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { runTool } from '../../src/images/run-tool.js'

test('a program that is not there is named, and its package too', async () => {
  await expect(runTool('no-such-tool', [], { install: 'e2fsprogs' })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: 'no-such-tool is not installed on this host\n  Install the package e2fsprogs.',
  })
})

test('a program that fails is quoted with its command and exit code', async () => {
  await expect(runTool('mke2fs', ['/nonexistent/disk'])).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: expect.stringMatching(/^mke2fs \/nonexistent\/disk failed with exit code 1: .+/),
  })
})

test('a program that finds no room is told as such', async () => {
  const full = runTool('tar', ['-cf', '/dev/full', '/etc/hostname'])
  await expect(full).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/^tar -cf \/dev\/full .*No space left[\s\S]*Free some space/),
  })
})

test('a program that is cancelled ends', async () => {
  const signal = AbortSignal.timeout(100)
  await expect(runTool('sleep', ['60'], { signal })).rejects.toMatchObject({ code: 'ABORTED' })
})

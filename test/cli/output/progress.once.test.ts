import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Progress } from '../../../src/cli/output/progress.js'

let written: string

beforeEach(() => {
  written = ''
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function start(isTTY: boolean): Progress {
  const write = (text: string) => {
    written += text
  }
  const progress = new Progress({ isTTY, write }, false)
  progress.start()
  return progress
}

describe('progress', () => {
  test('is silent for what takes less than a second', () => {
    const progress = start(true)
    progress.step('reading')
    vi.advanceTimersByTime(900)
    progress.stop()
    vi.advanceTimersByTime(5000)
    expect(written).toBe('')
  })

  test('on a terminal is one line with the seconds, which is gone at the end', () => {
    const progress = start(true)
    progress.step('reading')
    vi.advanceTimersByTime(2000)
    progress.step('writing')
    progress.stop()
    expect(written.split('\r\x1b[K')).toEqual([
      '',
      'reading (1 s)',
      'reading (2 s)',
      'writing (2 s)',
      '',
    ])
  })

  test('elsewhere is a line for each step', () => {
    const progress = start(false)
    progress.step('reading')
    vi.advanceTimersByTime(5000)
    progress.step('writing')
    vi.advanceTimersByTime(5000)
    progress.stop()
    expect(written).toBe('reading …\nwriting …\n')
  })
})

import type { Duplex } from 'node:stream'
import type { End } from './end.js'

/** Ctrl-], by which telnet and virsh are left too. */
const LEAVE = 0x1d

/**
 * Connects this process's terminal with a serial console: every key goes to the guest, Ctrl-C too, until
 * Ctrl-].
 *
 * @param serial - the host's end
 * @param ends - what else ends it
 */
export async function attachConsole(serial: Duplex, ends: Promise<End>): Promise<End> {
  const { stdin, stdout } = process
  const show = (chunk: Buffer) => stdout.write(chunk)
  let leave: (end: End) => void = () => {}
  const left = new Promise<End>((resolve) => {
    leave = resolve
  })
  const onKeys = (chunk: Buffer) => {
    const index = chunk.indexOf(LEAVE)
    serial.write(index === -1 ? chunk : chunk.subarray(0, index))
    if (index !== -1) leave('left')
  }
  const onEnd = () => leave('left')
  stdin.setRawMode(true)
  serial.on('data', show)
  stdin.on('data', onKeys).once('end', onEnd)
  try {
    return await Promise.race([left, ends])
  } finally {
    stdin.off('data', onKeys).off('end', onEnd)
    serial.off('data', show).resume()
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write('\r\n')
  }
}

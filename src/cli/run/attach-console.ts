import type { SerialConsole } from '../../qemu/machine/serial-console.js'
import type { End } from './end.js'

/** Ctrl-], by which telnet and virsh are left too. */
const LEAVE = 0x1d

/**
 * Connects this process's terminal with a serial console: every key goes to the guest, Ctrl-C too, until
 * Ctrl-].
 *
 * @param ends - what else ends it
 */
export async function attachConsole(serial: SerialConsole, ends: Promise<End>): Promise<End> {
  const { stdin, stdout } = process
  let leave: (end: End) => void = () => {}
  const left = new Promise<End>((resolve) => {
    leave = resolve
  })
  const onKeys = (chunk: Buffer) => {
    const index = chunk.indexOf(LEAVE)
    void serial.write(index === -1 ? chunk : chunk.subarray(0, index))
    if (index !== -1) leave('left')
  }
  const onEnd = () => leave('left')
  let isOver = false
  stdin.setRawMode(true)
  const shown = show(serial, () => isOver)
  // A terminal that is gone says so by an error, at the end as well.
  stdin.on('data', onKeys).once('end', onEnd).on('error', onEnd)
  try {
    return await Promise.race([left, ends])
  } finally {
    isOver = true
    await shown
    stdin.off('data', onKeys).off('end', onEnd)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write('\r\n')
  }
}

/** Writes what comes over a serial console from now on to the terminal, what came before the end too. */
async function show(serial: SerialConsole, isOver: () => boolean): Promise<void> {
  for (let place = serial.size; ; ) {
    const bytes = await serial.next(place, isOver)
    process.stdout.write(bytes)
    place += bytes.length
    if (isOver()) return
  }
}

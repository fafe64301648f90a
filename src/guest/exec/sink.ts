import { Writable } from 'node:stream'

/** Takes the output of a command as it comes. */
export type OnOutput = (chunk: Buffer) => void

/**
 * A stream that hands what is written to a function. When that has thrown, the rest is dropped.
 *
 * @param onError - told what the function threw
 */
export function outputSink(onOutput: OnOutput, onError: (error: unknown) => void): Writable {
  let hasFailed = false
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        if (!hasFailed) onOutput(chunk)
      } catch (error) {
        hasFailed = true
        onError(error)
      }
      done()
    },
  })
}

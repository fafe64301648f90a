import { GuestError } from '../../guest-error.js'

/** Why a file took no more, in the words of a guest's programs. */
const REASON =
  /: (No space left on device|Disk quota exceeded|Input\/output error|No such file or directory)/

/**
 * The error of a shell's own directory that has not taken all that a program was to read, or printed.
 *
 * @param said - what came over the console meanwhile
 */
export function noRoomError(directory: string, said: string): GuestError {
  const reason = REASON.exec(said)?.[1] ?? 'it has not taken all bytes'
  return new GuestError(
    'GUEST_FILE_FAILED',
    `${directory} in the guest cannot be written: ${reason}`,
    {
      hint: 'over the serial console, what programs read and print goes through this directory: make room on its file system',
    },
  )
}

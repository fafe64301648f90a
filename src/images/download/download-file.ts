import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { PartialFile } from './partial-file.js'
import { requestFile, showUrl } from './request.js'

/** Attempts in a row that bring nothing before a download is given up. */
const MAX_FAILURES = 6

/** Milliseconds before the second attempt; doubled for each further one. */
const FIRST_DELAY = 200

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes that are here. */
  received: number
  /** Bytes of the whole file, if the server tells. */
  total: number | undefined
}

/** What a download may be told. */
export interface DownloadOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: DownloadProgress) => void) | undefined
}

const CONTENT_RANGE = /^bytes (?:(?<start>\d+)-\d+|\*)\/(?:(?<total>\d+)|\*)$/

const toNumber = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)

/** Where the answer's body belongs, and how large the whole file is. */
function placeOf({ statusCode, headers }: IncomingMessage): {
  start: number | undefined
  total: number | undefined
} {
  if (statusCode === 200) return { start: 0, total: toNumber(headers['content-length']) }
  const groups = CONTENT_RANGE.exec(headers['content-range'] ?? '')?.groups
  return { start: toNumber(groups?.start), total: toNumber(groups?.total) }
}

/** One request: appends what comes to the file. */
async function transfer(url: string, file: PartialFile, options: DownloadOptions): Promise<void> {
  const response = await requestFile(url, file.size, options.signal)
  try {
    const { start, total } = placeOf(response)
    if (response.statusCode === 416 && total === file.size) return
    if (start !== file.size) await file.restart()
    if (start !== 0 && start !== file.size) throw new Error('the server sent another part')
    for await (const chunk of response) {
      await file.append(chunk)
      options.onProgress?.({ received: file.size, total })
    }
  } finally {
    response.destroy()
  }
}

/**
 * Requests the file, and what is missing of it, until it is complete.
 *
 * @returns whether it was put together from what came at different times
 */
async function transferAll(
  url: string,
  file: PartialFile,
  options: DownloadOptions,
): Promise<boolean> {
  let resumed = file.size > 0
  for (let failures = 0; ; ) {
    const before = file.size
    try {
      await transfer(url, file, options)
      return resumed
    } catch (cause) {
      if (options.signal?.aborted === true) {
        throw new VmStatesError('ABORTED', `the download of ${showUrl(url)} was cancelled`, {
          cause,
        })
      }
      if (isVmStatesError(cause)) throw cause
      resumed ||= file.size > 0
      failures = file.size > before ? 1 : failures + 1
      if (failures >= MAX_FAILURES) {
        const problem = cause instanceof Error ? cause.message : String(cause)
        const message = `the download of ${showUrl(url)} failed ${failures} times: ${problem}`
        throw new VmStatesError('DOWNLOAD_FAILED', message, { cause })
      }
      await sleep(FIRST_DELAY * 2 ** (failures - 1), undefined, {
        ...(options.signal && { signal: options.signal }),
      }).catch(() => {})
    }
  }
}

/**
 * Downloads a file whose checksum is known. What an earlier, interrupted download left at `path` is
 * used; broken connections are taken up again where they broke.
 *
 * @param path - absolute path; only one process may download to it
 * @param sha256 - in lower-case hexadecimal digits
 * @throws VmStatesError `DOWNLOAD_FAILED`, `CHECKSUM_MISMATCH`, `DISK_FULL`, `ABORTED`; what was
 *   downloaded stays for the next attempt, unless it is wrong or the disk is full
 */
export async function downloadFile(
  url: string,
  path: string,
  sha256: string,
  options: DownloadOptions = {},
): Promise<void> {
  const file = await PartialFile.open(path)
  try {
    const resumed = await transferAll(url, file, options)
    if (file.digest !== sha256 && resumed) {
      // The parts may have been of different versions of the file.
      await file.restart()
      await transferAll(url, file, options)
    }
    if (file.digest === sha256) return
    await rm(path, { force: true })
    throw new VmStatesError(
      'CHECKSUM_MISMATCH',
      `${showUrl(url)} has the sha256 ${file.digest}, not ${sha256}`,
      { hint: 'If the file was meant to change, write its new checksum into the definition.' },
    )
  } catch (error) {
    if (isVmStatesError(error, 'DISK_FULL')) await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

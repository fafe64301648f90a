import { plainConsole } from './clean-console.js'

/** When something of a console had come. */
export interface Mark {
  /** The place in it up to which all was there. */
  end: number
  /** Milliseconds. */
  time: number
}

const NEWLINE = 0x0a

/**
 * What came over a line, for people: each line with the seconds at which its beginning was there.
 *
 * @param bytes - as they came
 * @param from - their place in all that came
 * @param marks - by place
 * @param isCut - whether they begin in the midst of a line
 */
export function timedLines(
  bytes: Buffer,
  from: number,
  marks: readonly Mark[],
  { isCut }: { isCut: boolean },
): string {
  const lines: string[] = []
  let mark = 0
  let begin = isCut ? bytes.indexOf(NEWLINE) + 1 : 0
  while (begin < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, begin)
    const end = newline === -1 ? bytes.length : newline
    while (mark < marks.length - 1 && (marks[mark]?.end ?? 0) <= from + begin) mark++
    const time = marks[mark]?.time ?? 0
    const text = plainConsole(bytes.toString('utf8', begin, end)).trimEnd()
    for (const line of text.split('\n'))
      lines.push(`${seconds(time)} | ${line.trimEnd()}`.trimEnd())
    begin = end + 1
  }
  return lines.join('\n')
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2).padStart(8)
}

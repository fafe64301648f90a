/** What every line of a shell of ours begins with. */
const NONCE = 'vms-[0-9a-f]{8}'

/** Bytes as the guest prints them: in base64, or as numbers. */
const PAYLOAD = '(?:[A-Za-z0-9+/= ]*\\r*\\n)*'

/** A block of what a program has printed. */
const BLOCK = new RegExp(`^(${NONCE})\\+(\\w+)\\+\\r*\\n${PAYLOAD}\\1-\\2-\\r*(?:\\n|$)`, 'gm')

/** The end of one whose beginning was cut off. */
const END = new RegExp(`^${NONCE}-\\w+-\\r*(?:\\n|$)`, 'm')
const CUT = new RegExp(`^${PAYLOAD}$`)

const PROMPT = new RegExp(`${NONCE}\\.\\d+\\$ ?`, 'g')
const STATUS = new RegExp(`^${NONCE}[=:!@][^\\n]*(?:\\n|$)`, 'gm')

/**
 * What came over a console without what our shell on it and this process have said to each other: nobody but these can
 * read it, and it is longer than all else.
 *
 * @param raw - the end of a console, which may begin anywhere
 */
export function withoutConversation(raw: string): string {
  const whole = raw.replace(BLOCK, '')
  const end = END.exec(whole)
  const isCut = end !== null && CUT.test(whole.slice(0, end.index))
  const rest = isCut ? whole.slice(end.index + end[0].length) : whole
  return rest.replace(STATUS, '').replace(PROMPT, '')
}

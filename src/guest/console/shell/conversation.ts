/** What every line of a shell of ours begins with. */
const NONCE = 'vms-[0-9a-f]{8}'

/** A block of what a program has printed, and what is left of one whose beginning was cut off. */
const BLOCK = new RegExp(`^(${NONCE})\\+(\\w+)\\+\\r*\\n[^]*?^\\1-\\2-\\r*(?:\\n|$)`, 'gm')
const CUT_BLOCK = new RegExp(`^[^]*?^${NONCE}-\\w+-\\r*(?:\\n|$)`, 'm')

const PROMPT = new RegExp(`${NONCE}\\.\\d+\\$ ?`, 'g')
const STATUS = new RegExp(`^${NONCE}[=:!@][^\\n]*(?:\\n|$)`, 'gm')

/**
 * What came over a console without what our shell on it and this process have said to each other: nobody but these can
 * read it, and it is longer than all else.
 *
 * @param raw - the end of a console, which may begin anywhere
 */
export function withoutConversation(raw: string): string {
  return raw.replace(BLOCK, '').replace(CUT_BLOCK, '').replace(STATUS, '').replace(PROMPT, '')
}

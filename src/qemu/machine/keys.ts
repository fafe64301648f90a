import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'

/** Names that people know, by those of QEMU's `QKeyCode`. */
const ALIASES: Readonly<Record<string, string>> = {
  control: 'ctrl',
  del: 'delete',
  enter: 'ret',
  escape: 'esc',
  return: 'ret',
  space: 'spc',
  super: 'meta_l',
}

/** Keys of a US keyboard, with what they type without shift and with it. */
const KEYS: readonly (readonly [key: string, plain: string, shifted: string])[] = [
  ['grave_accent', '`', '~'],
  ['1', '1', '!'],
  ['2', '2', '@'],
  ['3', '3', '#'],
  ['4', '4', '$'],
  ['5', '5', '%'],
  ['6', '6', '^'],
  ['7', '7', '&'],
  ['8', '8', '*'],
  ['9', '9', '('],
  ['0', '0', ')'],
  ['minus', '-', '_'],
  ['equal', '=', '+'],
  ['bracket_left', '[', '{'],
  ['bracket_right', ']', '}'],
  ['backslash', '\\', '|'],
  ['semicolon', ';', ':'],
  ['apostrophe', "'", '"'],
  ['comma', ',', '<'],
  ['dot', '.', '>'],
  ['slash', '/', '?'],
  ['spc', ' ', ' '],
  ['ret', '\n', '\n'],
  ['tab', '\t', '\t'],
  ...[...'abcdefghijklmnopqrstuvwxyz'].map((key) => [key, key, key.toUpperCase()] as const),
]

const TYPED: ReadonlyMap<string, readonly string[]> = new Map(
  KEYS.flatMap(([key, plain, shifted]): (readonly [string, readonly string[]])[] => [
    [shifted, ['shift', key]],
    [plain, [key]],
  ]),
)

/**
 * The keys of a combination such as `ctrl-alt-delete`, by QEMU's names.
 *
 * @throws VmStatesError `INVALID_VALUE` if a part of it is empty
 */
export function keysOf(combination: string): string[] {
  const keys = combination.split('-')
  if (keys.includes('')) {
    const right = 'keys by their names in QEMU, joined by "-"'
    throw new VmStatesError('INVALID_VALUE', `sendKeys is ${showValue(combination)}: give ${right}`)
  }
  return keys.map((key) => ALIASES[key.toLowerCase()] ?? key)
}

/**
 * The keys that type a text on a US keyboard, at once for each character.
 *
 * @throws VmStatesError `INVALID_VALUE` for a character that it does not have
 */
export function keysFor(text: string): string[][] {
  return [...text].map((character) => {
    const keys = TYPED.get(character)
    if (keys !== undefined) return [...keys]
    throw new VmStatesError(
      'INVALID_VALUE',
      `type is ${showValue(text)}: a US keyboard has no key for ${showValue(character)}`,
    )
  })
}

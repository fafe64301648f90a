import { expect, test } from 'vitest'
import { ForeignPrompt } from '../../../../src/guest/console/shell/foreign-prompt.js'

const ENTER = Symbol('Enter')

/** What is seen after each silence of a console: after all that is said at once, Enter is another one's. */
function seen(said: readonly (string | typeof ENTER)[]) {
  const foreign = new ForeignPrompt('vms-0')
  return said.map((one) => {
    if (one === ENTER) foreign.enter()
    else foreign.add(one)
    return foreign.look()
  })
}

const last = (said: readonly (string | typeof ENTER)[]) => seen(said).at(-1)

test('a prompt is one that Enter brings again', () => {
  const login = '\n\nDebian 12\n\nbox login: '
  expect(seen(['it boots\nbox login: ', ENTER, login])).toEqual(['maybe', 'none', 'login'])
  expect(seen([ENTER, login, ENTER, login])).toEqual(['none', 'maybe', 'none', 'login'])
  expect(seen(['\n~ # ', ENTER, '\n~ # ', ENTER, '\n~ # '])).toEqual([
    ...['none', 'none', 'maybe', 'none', 'shell'],
  ])
  const banner = '\n\nWelcome\n\n~ # '
  expect(last([ENTER, banner, ENTER, '\n~ ', ENTER, '# '])).toBe('none')
  expect(last([ENTER, banner, ENTER, '\n~ # '])).toBe('shell')
})

test('what anything else writes is none', () => {
  const ours = '\nvms-0.12$ '
  expect(seen([ENTER, ours, ENTER, ours])).toEqual(['none', 'none', 'none', 'none'])
  for (const one of [
    ...[' 10%', 'pam_unix(login:', 'session for login: ', 'x\nmessage login: y\n', '10% \n'],
    `${'x'.repeat(300)}\n`,
  ]) {
    expect(last([one, ENTER, one, ENTER, one])).toBe('none')
  }
  expect(last(['box login: ', ENTER, '\nstarted\n'])).toBe('none')
  expect(seen([ENTER, '\n 10%', ENTER, '\n 20%', ENTER, '\n 20%'])).toEqual([
    ...['none', 'maybe', 'none', 'none', 'none', 'maybe'],
  ])
})

import fc from 'fast-check'
import { parseSync } from 'oxc-parser'
import { expect, it } from 'vitest'
import { canonicalText } from '../../../src/states/keys/source/canonical-text.js'

function canonical(text: string): string {
  const { program, errors } = parseSync('x.ts', text, { preserveParens: false })
  expect(errors).toEqual([])
  return canonicalText(program)
}

const NAMES = fc.constantFrom('vm', 'a', 'b', 'install', 'page')

/** Tokens of expressions. Each list of tokens is an expression that parses. */
const expression = fc.letrec<{ any: string[]; leaf: string[]; inner: string[] }>((tie) => ({
  leaf: fc.oneof(
    NAMES.map((name) => [name]),
    fc.integer({ min: 0, max: 999 }).map((number) => [String(number)]),
    fc.constantFrom("'x'", "''", '"y z"', '`t`', '/r+/g', '10n', 'null', 'true').map((t) => [t]),
  ),
  inner: fc.oneof(
    fc
      .tuple(tie('any'), fc.constantFrom('+', '-', '*', '??', ',', '===', 'in'), tie('any'))
      .map(([left, operator, right]) => ['(', ...left, ')', operator, '(', ...right, ')']),
    fc
      .tuple(tie('any'), tie('any'))
      .map(([callee, argument]) => ['(', ...callee, ')', '(', '(', ...argument, ')', ')']),
    fc
      .tuple(tie('any'), fc.constantFrom('.', '?.'), NAMES)
      .map(([object, dot, name]) => ['(', ...object, ')', dot, name]),
    fc
      .tuple(NAMES, tie('any'))
      .map(([name, body]) => [
        ...['async', '(', name, ')', '=>', '{', 'await', '(', ...body, ')', ';', '}'],
      ]),
    fc
      .tuple(NAMES, tie('any'))
      .map(([name, value]) => ['{', name, ':', '(', ...value, ')', ',', '}']),
    tie('any').map((item) => ['[', '(', ...item, ')', ',', ',', ']']),
    tie('any').map((value) => ['typeof', '(', ...value, ')']),
  ),
  any: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('inner')),
})).any

const program = expression.map((tokens) => ['const', 'x', '=', '(', ...tokens, ')', ';'])

/** What may stand between two tokens. A line break may not stand before `=>` or after `async`. */
const gap = fc.constantFrom(' ', '  ', '\t', ' /* why */ ', ' /* a => b; */ ')
const breaks = fc.constantFrom(' ', '\n', '\n\n  ', ' // why\n', '\n/* { */\n')

const sensitive = new Set(['=>', '(', ')', 'async'])

it('is not changed by comments and layout', () => {
  fc.assert(
    fc.property(
      program,
      fc.infiniteStream(gap),
      fc.infiniteStream(breaks),
      (tokens, gaps, lines) => {
        const laidOut = tokens.map((token) => {
          const between = sensitive.has(token) ? gaps : lines
          return token + String(between.next().value)
        })
        expect(canonical(laidOut.join(''))).toBe(canonical(tokens.join(' ')))
      },
    ),
  )
})

const OTHERS = new Map<RegExp, string>([
  [/^[a-z]\w*$/, 'other'],
  [/^\d+$/, '1000'],
  [/^['"`]/, "'other'"],
  [/^\//, '/other/'],
  [/^\d+n$/, '11n'],
  [/^(\+|-|\*|\?\?|,|===|in)$/, '/'],
])

it('is changed by every change of a token', () => {
  fc.assert(
    fc.property(program, fc.nat(), (tokens, place) => {
      const kinds = [...OTHERS]
      const places = [...tokens.keys()].filter((index) => {
        const token = tokens[index] as string
        // Words of the language, and commas that end a list, are not such tokens.
        if (/^(const|async|await|typeof|in)$/.test(token)) return false
        return token !== ',' && kinds.some(([kind]) => kind.test(token))
      })
      const index = places[place % places.length] as number
      const token = tokens[index] as string
      const other = kinds.find(([kind]) => kind.test(token))?.[1] as string
      const edited = tokens.with(index, other)
      expect(canonical(edited.join(' '))).not.toBe(canonical(tokens.join(' ')))
    }),
  )
})

it.each([
  ['an annotation', 'let x: number = 1', 'let x = 1'],
  ['as, satisfies and !', 'f((x as any)!.y satisfies Z)', 'f(x.y)'],
  ['type arguments', 'f<string>(new Map<A, B>())', 'f(new Map())'],
  [
    'types of a function',
    'function f<T>(this: A, x?: T): x is T { return x }',
    'function f(x) { return x }',
  ],
  ['overloads', 'function f(x: A): B\nfunction f(x) {}', 'function f(x) {}'],
  ['interfaces and aliases', 'interface A {}\ntype B = A\ndeclare const c: A\nf()', 'f()'],
  [
    'types of a class',
    'abstract class A<T> implements B { private readonly x!: T; declare y: T; abstract z(): void; [k: string]: any }',
    'class A { x }',
  ],
  [
    'imports and exports of types',
    "import type { A } from 'a'\nimport { type B, c } from 'b'\nexport type { A }",
    "import { c } from 'b'",
  ],
])('has nothing of %s', (_, typed, plain) => {
  expect(canonical(typed)).toBe(canonical(plain))
})

it.each([
  ['a hole in an array', '[, 1]', '[1]'],
  ['an optional call', 'f?.()', 'f()'],
  ['async', 'async () => {}', '() => {}'],
  ['a line break that ends a statement', '() => { return\n1 }', '() => { return 1 }'],
  ['an escape that a tag can see', 'f`\\u006e`', 'f`n`'],
  ['a flag', '/x/g', '/x/i'],
  ['a static member', '(class { static x })', '(class { x })'],
  ['null for undefined', 'f(null)', 'f(undefined)'],
  ['a number for its text', "f('1')", 'f(1)'],
  [
    'a parameter that is a property',
    '(class { constructor(private x) {} })',
    '(class { constructor(x) {} })',
  ],
])('tells apart %s', (_, one, other) => {
  expect(canonical(one)).not.toBe(canonical(other))
})

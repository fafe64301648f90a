/** An edit of the project: what files become, and the states whose keys it must change, no others. */
export interface Edit {
  name: string
  /** New text by path, from the old one; undefined takes the file away. */
  files: Readonly<Record<string, (text: string) => string | undefined>>
  changes: readonly string[]
}

const ALL = ['base', 'web', 'live', 'loop-a', 'loop-b', 'made-x', 'aside']
const FROM_BASE = ['base', 'web', 'live']
const FROM_WEB = ['web', 'live']
const EMULATED = ['live', 'made-x']

type Change = (text: string) => string | undefined

/** Fails where the text is not there: an edit that edits nothing proves nothing. */
function replace(from: string, to: string): Change {
  return (text) => {
    if (!text.includes(from)) throw new Error(`nothing to replace: ${from}`)
    return text.replace(from, () => to)
  }
}

const write =
  (text: string): Change =>
  () =>
    text
const add =
  (text: string): Change =>
  (before) =>
    `${before}\n${text}\n`
const remove: Change = () => undefined

function edit(name: string, file: string, change: Change, changes: readonly string[]): Edit {
  return { name, files: { [file]: change }, changes }
}

const states = (name: string, from: string, to: string, changes: readonly string[] = []) =>
  edit(name, 'vm/states.ts', replace(from, to), changes)
const inStates = (name: string, text: string, changes: readonly string[] = []) =>
  edit(name, 'vm/states.ts', add(text), changes)

export const EDITS: readonly Edit[] = [
  { name: 'nothing', files: {}, changes: [] },
  // What does not count.
  states('a comment', '// Why.', '/* Because. */'),
  states('a comment that goes', '  // Why.\n', ''),
  states('layout', 'await install(vm, PACKAGES)', 'await install(\n    vm,\n    PACKAGES,\n  );'),
  states('quotes', "join('/etc', 'web')", 'join("/etc", "web")'),
  states('parentheses', 'greet, linked', '(greet), linked'),
  states('a type annotation', 'const options: Options =', 'const options ='),
  states('an assertion of a type', 'configure(vm, port)', 'configure(vm, port as number)'),
  states('satisfies', 'configure(vm, port)', 'configure(vm, port satisfies number)'),
  states('a type argument', 'late(vm,', 'late<string>(vm,'),
  states(
    'a type-only import more',
    'import type',
    "import type { Unused } from './helpers.js'\nimport type",
  ),
  edit('the file of a type-only import', 'vm/types.ts', replace('verbose:', 'verbose?:'), []),
  edit(
    'an interface beside a helper',
    'vm/helpers.ts',
    replace('name: string', 'name: number'),
    [],
  ),
  edit(
    "the types of a helper's parameters",
    'vm/helpers.ts',
    replace('packages: string[]', 'packages: any'),
    [],
  ),
  inStates('a sibling state', "m.state('more', (vm) => vm.exec('more'))"),
  inStates('a state below', "live.live('more', (vm) => vm.exec('more'))"),
  states('one more state of a factory', "define(m, 'x')", "define(m, 'x')\ndefine(m, 'y')"),
  edit('a test', 'vm/web.test.ts', write('import { web } from "./states.js"\n'), []),
  states('an unrelated constant', "'unrelated'", "'still unrelated'"),
  inStates('an unrelated function', 'export function unrelated() { return PACKAGES }'),
  inStates('an unrelated statement', "console.debug('loaded')"),
  edit('another helper of the same file', 'vm/helpers.ts', replace('return 1', 'return 2'), []),
  edit('another member of a namespace', 'vm/tools.ts', replace('readFile', 'readText'), []),
  edit('another file behind a barrel', 'vm/ignored.ts', replace("'ignored'", "'other'"), []),
  edit('a barrel that exports all', 'vm/index.ts', write("export * from './greet.js'\n"), []),
  states('an import without its extension', "'./helpers.js'", "'./helpers'"),
  edit(
    'the order of declarations',
    'vm/states.ts',
    (text) => {
      const constant = "const PACKAGES: string[] = ['nginx', 'curl']\n"
      const moved = replace(constant, '')(text) ?? ''
      return replace('export const m =', `${constant}export const m =`)(moved)
    },
    [],
  ),
  edit('the layout of JSON', 'vm/data.json', write('{\n  "title": "Welcome"\n}\n'), []),
  edit("a package's files, of the same version", 'node_modules/dep/index.js', add('// more'), []),
  edit(
    'a package that is not reached',
    'node_modules/far/package.json',
    write('{ "name": "far", "version": "2.0.0" }'),
    [],
  ),
  edit('a file beside those of a glob', 'vm/conf/c.txt', write('c'), []),
  states('how a size is written', "'128 MiB'", '128 * 2 ** 20'),
  states('a deadline', 'timeout: 5000', 'timeout: 6000'),
  states('how tests boot', "memory: '128 MiB'", "memory: '128 MiB', boot: 'cold'"),
  {
    name: "an image's place",
    files: {
      'disk.img': remove,
      'images/moved.img': write('the image'),
      'vm/states.ts': replace('../disk.img', '../images/moved.img'),
    },
    changes: [],
  },
  // What counts.
  states('a setup', "join('/etc', 'web')", "join('/etc', 'site')", FROM_WEB),
  states(
    "the parent's setup",
    'await install(vm, PACKAGES)',
    'await install(vm, [...PACKAGES])',
    FROM_BASE,
  ),
  states(
    'the name of a variable of the setup',
    'const options: Options = { verbose: true }',
    'const option: Options = { verbose: true }',
    FROM_WEB,
  ),
  states("a sibling's setup", "vm.exec('aside')", "vm.exec('beside')", ['aside']),
  states('a setup that is a function by name', "vm.exec('restart')", "vm.exec('reload')", ['live']),
  states('a constant', "'curl'", "'wget'", FROM_BASE),
  states('an assignment of a variable', 'port = 8080', 'port = 8081', FROM_WEB),
  inStates('a change of a constant', "PACKAGES.push('jq')", FROM_BASE),
  edit('a helper', 'vm/helpers.ts', replace('...packages]', "...packages, '-q']"), FROM_BASE),
  edit('a constant of a helper', 'vm/helpers.ts', replace("'-y'", "'--yes'"), FROM_BASE),
  edit(
    "a helper's helper",
    'vm/deep.ts',
    replace("'apt-get update'", "'apt-get -q update'"),
    FROM_BASE,
  ),
  edit('a re-exported value', 'vm/greet.ts', replace('hello', 'good day'), FROM_WEB),
  edit(
    'a default import',
    'vm/configure.ts',
    replace('String(port)', 'String(port + 1)'),
    FROM_WEB,
  ),
  edit(
    'a member of a namespace',
    'vm/tools.ts',
    replace('path, text)\n', "path, text + '!')\n"),
    FROM_WEB,
  ),
  edit('a dynamic import', 'vm/late.ts', replace('join()', "join(' ')"), FROM_WEB),
  edit('a value of a JSON file', 'vm/data.json', replace('Welcome', 'Goodbye'), FROM_WEB),
  edit('what is imported for its effect', 'vm/effects.ts', replace("'C'", "'POSIX'"), ALL),
  states(
    'which export is imported',
    "{ greet } from './index.js'",
    "{ ignored as greet } from './index.js'",
    FROM_WEB,
  ),
  edit(
    'the version of a package',
    'node_modules/dep/package.json',
    replace('1.0.0', '1.0.1'),
    FROM_WEB,
  ),
  edit(
    'the code of a linked package',
    'packages/linked/index.js',
    replace("'linked'", "'joined'"),
    FROM_WEB,
  ),
  edit('an input file', 'vm/schema.sql', replace('one', 'two'), FROM_WEB),
  edit('a file that a glob matches', 'vm/conf/a.conf', write('A'), FROM_WEB),
  edit('one file more for a glob', 'vm/conf/c.conf', write('c'), FROM_WEB),
  edit('one file less for a glob', 'vm/conf/b.conf', remove, FROM_WEB),
  states('an input value', 'level: 1', 'level: 2', FROM_WEB),
  states('what refresh returns', '() => 7', '() => 8', ['aside']),
  states('the backend', 'refresh: () => 7', "refresh: () => 7, backend: 'internal'", ['aside']),
  states('the setup of a loop', "vm.exec('loop'", "vm.exec('round'", ['loop-a', 'loop-b']),
  states('a value of a loop', "['a', 'b']", "['a', 'c']", ['loop-b']),
  states('the setup in a factory', "vm.exec('make'", "vm.exec('build'", ['made-x']),
  states('the memory', '128 MiB', '256 MiB', ALL),
  states('the CPUs', "memory: '128 MiB'", "memory: '128 MiB', cpus: 2", ALL),
  states('the CPU model', "memory: '128 MiB'", "memory: '128 MiB', cpuModel: 'Haswell'", ALL),
  states('the network', "memory: '128 MiB'", "memory: '128 MiB', network: 'none'", ALL),
  edit('the content of the image', 'disk.img', write('another image'), ALL),
  edit('the version of QEMU', 'host.json', replace('7.2.22', '10.0.2'), EMULATED),
  edit('the accelerator', 'host.json', replace('tcg', 'kvm'), EMULATED),
]

/** The floors of the house: each folder may import from those before it, and never from those after. */
const floors = [
  'params',
  'store',
  'qemu',
  'guest',
  'images',
  'backends',
  'pool',
  'states',
  'fixtures',
  'cli',
]

const upwards = floors.slice(0, -1).map((folder, index) => ({
  name: `${folder}-imports-only-from-before`,
  severity: 'error',
  comment: `src/${folder} may import from: ${floors.slice(0, index).join(', ') || 'nothing'}`,
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(${floors.slice(index + 1).join('|')})/` },
}))

export default {
  forbidden: [
    ...upwards,
    {
      name: 'cli-without-fixtures',
      severity: 'error',
      comment: 'the states command works where Vitest is not installed',
      from: { path: '^src/(cli/|states\\.ts$)' },
      to: { path: '^src/fixtures/|^node_modules/vitest/', reachable: true },
    },
    {
      name: 'entry-files-only-re-export',
      severity: 'error',
      comment: 'a folder imports where a thing is declared, not through a public entry file',
      from: { path: '^src/.+/' },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'no-circle',
      severity: 'error',
      comment: 'files that need each other are one file, or lack a third',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'an import that leads nowhere',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'what ships imports only what gets installed with it',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], pathNot: '^node_modules/vitest/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
}

import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { cacheDirectory } from './cache-directory.js'
import { buildSchema, type Config, configSchema, onFailureSchema } from './config.js'
import { VmStatesError } from './errors.js'
import { limitsOf, type MachineLimits } from './limits.js'
import { loadModule } from './load-module.js'
import { parse } from './parse.js'

const DEFAULT_MAX_AGE = 30 * 86_400_000

const FILE_NAMES = ['ts', 'mts', 'js', 'mjs'].map((extension) => `states.config.${extension}`)

/** The name of a run's summary among its artifacts. */
const SUMMARY_FILE = 'vm-states.json'

/** The configuration in force: every path absolute, every default filled in. */
export interface LoadedConfig {
  /** The file it comes from; absent when there is none. */
  file: string | undefined
  /** What usage is known under: the directory of the file, or where the search for it started. */
  root: string
  /** The files that define machines and states. */
  states: readonly string[]
  /** The directory of the store. */
  store: string
  /** What to do for a state that is not in the store. */
  build: 'missing' | 'never'
  /** How much machines may take at once, as far as it was set. */
  limits: MachineLimits
  /** The QEMU of machines that name none: an absolute path, or a name to look up in `PATH`. */
  qemu: string
  /** What the store may keep: bytes on the disk (by default, it depends on that), and milliseconds. */
  gc: { maxSize: number | undefined; maxAge: number }
  /** Whether a test that fails leaves its machines, as they stood, as a state. */
  onFailure: 'discard' | 'keep'
  /** How much of failed tests is kept: bytes on the disk of all, and failures of one run. */
  keep: { maxSize: number; perRun: number }
  /** Where a run of the tests leaves logs of failed builds, if anywhere. */
  artifacts: string | undefined
  /** The file for the summary of a run of the tests as JSON, if it is wanted. */
  summary: string | undefined
  /** Whether the first Ctrl-C ends tests and machines in order, before Vitest exits. */
  gracefulExit: boolean
}

export interface LoadConfigOptions {
  /** Where the search for the file starts; it goes on in the directories above. */
  cwd?: string
  /** What is said elsewhere, such as `vmStates({ … })`; wins over the file. Paths relative to `cwd`. */
  overrides?: Config
  environment?: NodeJS.ProcessEnv
}

/**
 * Finds and loads `states.config.{ts,mts,js,mjs}`, for the command line and the plugin alike.
 * `VM_STATES_STORE`, `VM_STATES_BUILD`, `VM_STATES_ON_FAILURE`, `VM_STATES_MAX_MEMORY`,
 * `VM_STATES_MAX_MACHINES` and `VM_STATES_QEMU` win over the file and the overrides.
 *
 * @throws VmStatesError `INVALID_CONFIG` with the file and the path of the value; `INVALID_VALUE`
 *   for an environment variable
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { cwd = process.cwd(), overrides = {}, environment = process.env } = options
  const file = await findConfigFile(cwd)
  const written = file === undefined ? {} : await readConfigFile(file, environment)
  const fromFile = parse(configSchema, written, file ?? 'config', 'INVALID_CONFIG')
  const given = parse(configSchema, overrides, 'vmStates(…)', 'INVALID_CONFIG')
  const home = file === undefined ? cwd : dirname(file)
  const build = environment.VM_STATES_BUILD
  const onFailure = environment.VM_STATES_ON_FAILURE
  const artifacts =
    resolved(cwd, given.artifacts?.directory) ?? resolved(home, fromFile.artifacts?.directory)
  return {
    file,
    root: home,
    states:
      overrides.states === undefined
        ? fromFile.states.map((path) => resolve(home, path))
        : given.states.map((path) => resolve(cwd, path)),
    store:
      resolved(cwd, environment.VM_STATES_STORE) ??
      resolved(cwd, given.store) ??
      resolved(home, fromFile.store) ??
      cacheDirectory(environment),
    build: build
      ? parse(buildSchema, build, 'VM_STATES_BUILD')
      : overrides.build === undefined
        ? fromFile.build
        : given.build,
    limits: limitsOf(
      [
        { ...given, name: 'vmStates(…)' },
        { ...fromFile, name: file ?? 'config' },
      ],
      environment,
    ),
    qemu:
      program(cwd, environment.VM_STATES_QEMU) ??
      (overrides.qemu === undefined ? program(home, fromFile.qemu) : program(cwd, given.qemu)),
    gc: {
      maxSize: given.gc.maxSize ?? fromFile.gc.maxSize,
      maxAge: given.gc.maxAge ?? fromFile.gc.maxAge ?? DEFAULT_MAX_AGE,
    },
    onFailure: onFailure
      ? parse(onFailureSchema, onFailure, 'VM_STATES_ON_FAILURE')
      : overrides.onFailure === undefined
        ? fromFile.onFailure
        : given.onFailure,
    keep: overrides.keep === undefined ? fromFile.keep : given.keep,
    artifacts,
    summary:
      resolved(cwd, environment.VM_STATES_SUMMARY) ??
      (artifacts === undefined ? undefined : join(artifacts, SUMMARY_FILE)),
    gracefulExit: overrides.gracefulExit === undefined ? fromFile.gracefulExit : given.gracefulExit,
  }
}

/** A path is told from a name by its slash, as a shell does; an empty variable is not set. */
function program(base: string, name: string): string
function program(base: string, name: string | undefined): string | undefined
function program(base: string, name: string | undefined): string | undefined {
  return name?.includes('/') ? resolve(base, name) : name || undefined
}

/** Nothing for a path that is not set; an empty environment variable counts as not set. */
function resolved(base: string, path: string | undefined): string | undefined {
  return path ? resolve(base, path) : undefined
}

async function findConfigFile(directory: string): Promise<string | undefined> {
  for (const name of FILE_NAMES) {
    const file = join(directory, name)
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  const parent = dirname(directory)
  return parent === directory ? undefined : await findConfigFile(parent)
}

async function readConfigFile(file: string, environment: NodeJS.ProcessEnv): Promise<unknown> {
  let exports: Record<string, unknown>
  try {
    exports = await loadModule(file, environment)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new VmStatesError('INVALID_CONFIG', `${file} cannot be loaded: ${reason}`, { cause })
  }
  if (exports.default === undefined) {
    throw new VmStatesError('INVALID_CONFIG', `${file} has no default export`, {
      hint: 'Write: export default defineConfig({ states: "./vm/states.ts" })',
    })
  }
  return exports.default
}

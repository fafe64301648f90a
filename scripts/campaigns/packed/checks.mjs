import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const IN_SUITE = 9

/** What a project of a user's does with the package, by what is to hold; in this order. */
export const checks = {
  async 'the types fit'(project) {
    expectCode(await project.types(), 0)
  },

  async 'a first run builds each state once, and tells so'(project) {
    const run = await project.vitest(['suite'], {
      GITHUB_STEP_SUMMARY: join(project.directory, 'job.md'),
      VM_STATES_SUMMARY: 'summary.json',
    })
    expectPassed(run, IN_SUITE)
    for (const name of ['tiny/page', 'tiny/serving', 'lab/joined']) {
      assert.equal(
        run.output.split(`vm-states: built ${name} in`).length,
        2,
        `${name}: ${run.output}`,
      )
    }
    assert.match(run.output, / VM states \(QEMU \d/)
    assert.match(await project.read('job.md'), /tiny\/serving/)
    assert.ok(JSON.parse(await project.read('summary.json')))
  },

  async 'a second run builds nothing'(project) {
    const run = await project.vitest(['suite'])
    expectPassed(run, IN_SUITE)
    assert.doesNotMatch(run.output, /vm-states: buil/)
  },

  async 'threads and vmThreads find what forks built'(project) {
    for (const pool of ['threads', 'vmThreads']) {
      const run = await project.vitest(['suite', `--pool=${pool}`])
      expectPassed(run, IN_SUITE)
      assert.doesNotMatch(run.output, /vm-states: buil/)
    }
  },

  async 'fixtures work without the plugin'(project) {
    expectPassed(await project.vitest(['suite', '--config=bare.config.ts']), IN_SUITE)
  },

  async 'the tag vm picks tests'(project) {
    const { exitCode, output, tests } = await project.vitest(['suite', '--tags-filter=vm'])
    assert.equal(exitCode, 0, output)
    const passed = Object.values(tests).filter((status) => status === 'passed')
    assert.equal(passed.length, 2, output)
  },

  async 'a state that fails to build fails one test, and skips the others that need it'(project) {
    const { exitCode, output, tests } = await project.vitest(['broken'])
    assert.equal(exitCode, 1)
    assert.equal(tests['is the first that needs it'], 'failed', output)
    assert.equal(tests['needs it too'], 'skipped', output)
    assert.equal(tests['does not need it'], 'passed', output)
    assert.match(output, /tiny\/broken could not be built/)
  },

  async 'tests that fail name what their machines left, and attach it'(project) {
    const reports = ['junit', 'html'].map((name) => `--reporter=${name}`)
    const { exitCode, output } = await project.vitest([
      'failing',
      ...reports,
      '--outputFile.junit=junit.xml',
      '--outputFile.html=html/index.html',
    ])
    assert.equal(exitCode, 1)
    const places = [...output.matchAll(/^What its machines left: (.*)$/gm)].map(
      ([, place]) => place,
    )
    assert.equal(new Set(places).size, 3, output)
    for (const place of places) {
      assert.match(await project.read(join(place, 'tiny/failure.log')), /The kernel's messages/)
    }
    assert.match(await project.read('junit.xml'), /<property name="vm-states" value="tiny: log">/)
    // Vitest 5 has its report and what is attached in one directory of its own.
    const directories = ['html', '.vitest'].map((name) => join(project.directory, name))
    const listings = directories.map((path) => readdir(path, { recursive: true }).catch(() => []))
    const report = (await Promise.all(listings)).flat()
    assert.ok(
      report.some((name) => name.endsWith('.svg')),
      report.join(),
    )
  },

  async 'with builds off, what is there is used, and what is not is an error'(project) {
    const never = { VM_STATES_BUILD: 'never' }
    expectPassed(await project.vitest(['suite'], never), IN_SUITE)
    const { exitCode, output } = await project.vitest(['broken'], never)
    assert.equal(exitCode, 1)
    assert.match(output, /is not in the store/)
  },

  async 'two projects with a QEMU each share disk states alone'(project) {
    const run = await project.vitest(['machines', '--config=projects.config.ts'])
    assert.equal(run.exitCode, 0, run.output)
    assert.doesNotMatch(run.output, /vm-states: built tiny\/page in/)
    assert.equal(run.output.split('vm-states: built tiny/serving in').length, 2, run.output)
    assert.match(run.output, /QEMU 99\.0\.1/)
  },

  async 'list, build, graph, explain, verify and gc work'(project) {
    const list = await project.states('list', '--json')
    expectCode(list, 0)
    assert.match(list.stdout, /"tiny\/serving"/)
    expectCode(await project.states('build', 'tiny/serving'), 0)
    expectCode(await project.states('build'), 3)
    for (const format of ['text', 'mermaid', 'dot', 'svg']) {
      const graph = await project.states('graph', '--format', format)
      expectCode(graph, 0)
      assert.match(graph.stdout, /serving/)
      assert.match(graph.stdout, /suite.machines/)
    }
    await project.write('vm/helper.ts', "export const greeting = 'hi'\n")
    const explained = await project.states('explain', 'tiny/page')
    assert.match(explained.output, /greeting/)
    await project.write('vm/helper.ts', "export const greeting = 'hello'\n")
    expectCode(await project.states('verify'), 0)
    expectCode(await project.states('gc'), 0)
    expectPassed(await project.vitest(['suite'], { VM_STATES_BUILD: 'never' }), IN_SUITE)
  },

  async 'watch mode runs the tests again that stand on an input that is saved'(project) {
    const watch = project.start(['watch', 'machines'])
    let output = ''
    watch.all.on('data', (data) => {
      output += data
    })
    const passes = async (times) => {
      const deadline = Date.now() + 180_000
      while (output.split(/Tests {2}6 passed/).length <= times) {
        assert.ok(Date.now() < deadline, output)
        await setTimeout(100)
      }
    }
    try {
      await passes(1)
      await project.write('vm/input.txt', 'second\n')
      await passes(2)
      assert.match(output, /vm-states: built tiny\/page in/)
    } finally {
      watch.kill('SIGTERM')
      await watch
      await project.write('vm/input.txt', 'first\n')
    }
  },

  async 'nothing is left that runs'(project) {
    expectCode(await project.states('list'), 0)
    assert.deepEqual(await readdir(join(project.store, 'runs')), [])
    const running = readdirSync('/proc').filter((pid) => commandLine(pid).includes(project.store))
    assert.deepEqual(running.map(commandLine), [])
  },
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function expectCode({ exitCode, output }, expected) {
  assert.equal(exitCode, expected, output)
}

function expectPassed({ exitCode, output, tests }, count) {
  assert.equal(exitCode, 0, output)
  assert.equal(Object.keys(tests).length, count, output)
  assert.deepEqual([...new Set(Object.values(tests))], ['passed'], output)
}

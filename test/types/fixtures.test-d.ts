// Checked by tsc: what must not compile stands under @ts-expect-error.
import { test as base, expectTypeOf } from 'vitest'
import { sharedVm, type Vm, vm, vms } from '../../src/index.js'
import { environment, image, machine } from '../../src/states.js'

const debian = machine('debian', { image: image.blank('1 MiB') })
const nginx = debian.state('nginx', async (vm) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'disk'>>()
})
const serving = nginx.live('serving', (vm) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'disk'>>()
})
const warm = serving.live('warm', (vm) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'live'>>()
})
const fedora = machine('fedora', { image: image.blank('1 MiB') })

// A fixture is typed by machine and liveness, not by the state's name.
const test = base.extend('vm', vm(serving))
test('is typed', ({ vm }) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'live'>>()
})
base.extend('vm', vm(nginx))('is typed by liveness', ({ vm }) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'disk'>>()
})
base.extend('vm', vm(debian))('takes a machine for its root', ({ vm }) => {
  expectTypeOf(vm).toEqualTypeOf<Vm<'debian', 'disk'>>()
})

// A sibling state takes its place; another machine or another kind of state does not.
test.override('vm', vm(warm))
// @ts-expect-error a disk state is no live state
test.override('vm', vm(nginx))
// @ts-expect-error another machine
test.override('vm', vm(fedora.live('other', () => {})))

// A machine of a test's own cannot be shared; a shared one can.
base.extend('vm', { scope: 'test' }, vm(serving))
// @ts-expect-error vm() is for one test
base.extend('vm', { scope: 'file' }, vm(serving))
// @ts-expect-error vm() is for one test
base.extend('vm', { scope: 'worker' }, vm(serving))
base.extend('lab', { scope: 'worker' }, sharedVm(debian))
base.extend(
  'lab',
  { scope: 'file' },
  sharedVm(serving),
)('is typed', ({ lab }) => {
  expectTypeOf(lab).toEqualTypeOf<Vm<'debian', 'live'>>()
})

// Fixtures of users' own build on it.
test.extend('page', async ({ vm }) => vm.readFile('/index.html'))('has both', ({ page, vm }) => {
  expectTypeOf(page).toEqualTypeOf<string>()
  expectTypeOf(vm.machine).toEqualTypeOf<'debian'>()
})

// @ts-expect-error a state is a definition, not its name
vm('debian/serving')
// @ts-expect-error a machine has an image
machine('empty', {})
// @ts-expect-error an option that does not exist
debian.state('typo', () => {}, { timeuot: 1 })

// The handles of an environment are typed by member.
const lab = environment('lab', { web: serving, db: fedora })
type Lab<L extends 'disk' | 'live'> = {
  readonly web: Vm<'debian', L>
  readonly db: Vm<'fedora', L>
}
const joined = lab.state('joined', (vms) => {
  expectTypeOf(vms).toEqualTypeOf<{
    readonly web: Vm<'debian', 'live'>
    readonly db: Vm<'fedora', 'disk'>
  }>()
})
const up = joined.live('up', async ({ web, db }) => {
  expectTypeOf({ web, db }).toExtend<Lab<'disk'>>()
})
const together = base.extend('lab', vms(up))
together('is typed by member and liveness', ({ lab }) => {
  expectTypeOf(lab).toEqualTypeOf<Lab<'live'>>()
})
together.override('lab', vms(joined.live('sibling', () => {})))
// @ts-expect-error a disk state is no live state
together.override('lab', vms(joined))
base.extend('lab', vms(lab))('has members in their own states', ({ lab }) => {
  expectTypeOf(lab.web).toEqualTypeOf<Vm<'debian', 'live'>>()
  expectTypeOf(lab.db).toEqualTypeOf<Vm<'fedora', 'disk'>>()
})
base.extend('pair', vms({ client: debian, server: warm }))('needs no name', ({ pair }) => {
  expectTypeOf(pair).toEqualTypeOf<{
    readonly client: Vm<'debian', 'disk'>
    readonly server: Vm<'debian', 'live'>
  }>()
})
// @ts-expect-error vms() is for one test
base.extend('lab', { scope: 'file' }, vms(up))
// @ts-expect-error vms() takes several machines
vms(debian)
// @ts-expect-error vm() takes one machine
vm(up)
// @ts-expect-error no such member
lab.state('typo', ({ wbe }) => wbe)

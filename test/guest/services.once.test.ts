import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Vm } from '../../src/guest/vm.js'
import { bootTiny, rejection, type TinyVm } from './tiny-vm.js'

/** A service as the LSB has them: it takes a moment to start, and may be dead beside its file. */
const SCRIPT = `#!/bin/sh
state=/run/web
case $1 in
  start) sleep 4321 & [ ! -e /run/broken ] || { echo "the disk is on fire" >&2; exit 1; }; echo up >$state ;;
  stop) rm -f $state ;;
  restart) rm -f $state; echo again >$state ;;
  status)
    [ -e $state ] || exit 3
    [ "$(cat $state)" != dead ] || exit 1
    exit 0 ;;
esac
`

/** What answers in the place of OpenRC's command. */
const RC_SERVICE = `#!/bin/sh
if [ "$1" = --exists ]; then [ "$2" = web ]; exit; fi
[ "$2" != status ] || exit "$(cat /run/status)"
case $2 in start | restart) echo 0 ;; stop) echo 3 ;; esac >/run/status
`

describe.each(['agent', 'ssh'] as const)('over %s', (channel) => {
  let tiny: TinyVm
  let vm: Vm

  beforeAll(async () => {
    tiny = await bootTiny({ channel })
    vm = tiny.vm
  })
  afterAll(() => tiny[Symbol.asyncDispose]())

  describe.each(['a script in /etc/init.d', 'OpenRC'])('a service of %s', (kind) => {
    beforeAll(async () => {
      await vm.$`mkdir -p /etc/init.d; rm -rf /run/openrc /run/web /run/broken`
      if (kind === 'OpenRC') {
        await vm.$`mkdir /run/openrc; echo 3 >/run/status`
        await vm.writeFile('/usr/sbin/rc-service', RC_SERVICE, { mode: 0o755 })
      } else await vm.writeFile('/etc/init.d/web', SCRIPT, { mode: 0o755 })
    })

    test('starts, restarts and stops, and tells what it does', async () => {
      const web = vm.service('web')
      expect(await web.status()).toBe('stopped')
      await web.start()
      expect(await web.status()).toBe('running')
      await web.restart()
      expect(await web.status()).toBe('running')
      await web.stop()
      expect(await web.status()).toBe('stopped')
      const waiting = web.waitUntilRunning()
      await web.start()
      await waiting
    })

    test('that the guest does not have is named', async () => {
      const none = vm.service('none')
      for (const call of ['status', 'start', 'waitUntilRunning'] as const) {
        const error = await rejection(none[call]())
        expect(error).toMatchObject({ code: 'GUEST_SERVICE_MISSING' })
        expect(error.message).toContain('the guest has no service none')
      }
    })
  })

  test('a service that fails to start says why, and is not waited for', async () => {
    await vm.$`rm -rf /run/openrc /run/web; touch /run/broken`
    const web = vm.service('web')
    const error = await rejection(web.start())
    expect(error).toMatchObject({ code: 'GUEST_COMMAND_FAILED', stderr: 'the disk is on fire' })
    expect(error.message).toContain('start the service web')
    await vm.$`echo dead >/run/web`
    expect(await web.status()).toBe('failed')
    const start = performance.now()
    expect(await rejection(web.waitUntilRunning())).toMatchObject({ code: 'GUEST_SERVICE_FAILED' })
    expect(performance.now() - start).toBeLessThan(20_000)
    await vm.$`rm /run/web`
    expect(await rejection(web.waitUntilRunning({ timeout: 300 }))).toMatchObject({
      code: 'TIMEOUT',
    })
  })

  test.each(['', '-h', 'a b', '../etc', 'a;b'])('%j is the name of no service', (name) => {
    expect(() => vm.service(name)).toThrow('must be the name of a service')
  })
})

import { AgentClient } from '../../../src/guest/agent/client.js'
import { GuestError } from '../../../src/guest/guest-error.js'
import type { MachineProcess } from '../../../src/qemu/machine/machine-process.js'
import type { Vm } from '../../../src/states/definitions/types.js'

/** Milliseconds that a guest's clock is off, at least; nobody else may talk to its agent meanwhile. */
export async function clockError({ agent: channel }: MachineProcess): Promise<number> {
  const agent = new AgentClient(channel)
  await agent.synchronize()
  const asked = Date.now()
  const time = (await agent.execute('guest-get-time', {})) / 1e6
  const answered = Date.now()
  agent.close(() => new GuestError('GUEST_RELEASED', 'the clock was read'))
  if (time < asked) return asked - time
  return Math.max(0, time - answered)
}

const READER = `
  open my $random, '<', '/dev/urandom';
  for (;;) {
    open my $ask, '<', '/run/ask';
    <$ask>;
    sysread $random, my $bytes, 16;
    open my $answer, '>', '/run/answer';
    print $answer unpack 'H*', $bytes;
    close $answer;
  }
`

/** Starts a process that reads random bytes when it is asked to, and sets the clock years back. */
export async function prepareForSleep(vm: Vm): Promise<void> {
  await vm.$`mkfifo /run/ask /run/answer`
  await vm.$`setsid perl -e ${READER} >/dev/null 2>&1 &`
  await vm.$`date -s 2020-01-01`
}

/** Random bytes as a new process reads them, and as the one does that was there before the save. */
export async function randomBytesOf(vm: Vm): Promise<string[]> {
  const { stdout: fresh } = await vm.$`head -c 16 /dev/urandom | od -An -tx1`
  const { stdout: old } = await vm.$`echo >/run/ask; cat /run/answer`
  return [fresh.trim(), old]
}

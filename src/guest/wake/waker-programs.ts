import type { Program } from '../channel/channel.js'

/**
 * The waker waits on its port of the guest for lines such as `7 shift=-1:980000 seed=00ff`, in
 * seconds and microseconds, and answers `7 1700000000.250012345` with the time afterwards, and with what
 * failed. It ends where another one has the port. The clock is moved by
 * adjtimex(2), ADJ_SETOFFSET, at once: a guest may be held up between reading and setting it. Numbers of
 * calls are those of x86-64 or aarch64, by what Perl itself was built for.
 */
const PERL = String.raw`
exit 3 if length pack('p', '') != 8;
open $self, '<', '/proc/self/exe' or exit 9;
read $self, $header, 20; close $self;
($setsid, $gettime, $adjtime) = @{{ 62 => [112, 228, 159], 183 => [157, 113, 171] }->{unpack 'x18S', $header} || exit 10};
opendir $ports, '/sys/class/virtio-ports' or exit 4;
for $name (readdir $ports) {
  open $file, '<', "/sys/class/virtio-ports/$name/name" or next;
  next if <$file> ne "org.vitest-vm-states.wake\n";
  open $port, '+<', "/dev/$name" or exit($! == 16 ? 0 : 5);
}
exit 6 if !$port;
close $file; closedir $ports;
open $random, '<', '/dev/urandom' or exit 7;
$pid = fork; exit 8 if !defined $pid; exit 0 if $pid;
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
syscall $setsid; chdir '/'; $SIG{HUP} = 'IGNORE';
$0 = 'vm-states-waker (vitest-vm-states: sets the clock after a restore)';

sub now { my $time = pack 'qq', 0, 0; syscall $gettime, 0, $time; unpack 'qq', $time }
sub move {
  my $change = pack 'Lx4x32x8x24qqx120', 0x100, $_[0] + 0, $_[1] + 0;
  syscall($adjtime, $change) >= 0 or push @faults, "clock: $!";
}
sub seed {
  my $bytes = pack 'H*', $_[0];
  my $pool = pack 'll a*', 8 * length $bytes, length $bytes, $bytes;
  ioctl $random, 0x40085203, $pool or push @faults, "random: $!";
  ioctl $random, 0x5207, 0;
}
for (;;) {
  if (!sysread $port, $rest, 4096, length $rest) { select undef, undef, undef, 0.05; next }
  while ($rest =~ s/^(\d*)(.*)\n//) {
    my ($id, $order) = ($1, $2);
    @faults = ();
    move($1, $2) if $order =~ / shift=(-?\d+):(\d+)/;
    seed($1) if $order =~ / seed=(\w+)/;
    syswrite $port, join(' ', $id, sprintf('%d.%09d', now()), join '; ', @faults) . "\n";
  }
}
`

const PYTHON = String.raw`
import ctypes, fcntl, os, re, struct, sys, time
if struct.calcsize('P') != 8: sys.exit(3)
port = None
for name in os.listdir('/sys/class/virtio-ports'):
    try:
        with open('/sys/class/virtio-ports/%s/name' % name) as file:
            if file.read() != 'org.vitest-vm-states.wake\n': continue
        port = os.open('/dev/' + name, os.O_RDWR)
    except OSError as error:
        if error.errno == 16: sys.exit(0)
if port is None: sys.exit(6)
random = os.open('/dev/urandom', os.O_RDONLY)
if os.fork(): os._exit(0)
null = os.open('/dev/null', os.O_RDWR)
for output in 0, 1, 2: os.dup2(null, output)
os.setsid()
os.chdir('/')
with open('/proc/self/comm', 'w') as comm: comm.write('vm-states-waker')

def move(text):
    change = ctypes.create_string_buffer(struct.pack('=I4x32x8x24xqq120x', 0x100, *map(int, text.split(':'))))
    if ctypes.CDLL(None, use_errno=True).adjtimex(change) < 0: raise OSError(ctypes.get_errno(), 'adjtimex')
def seed(text):
    pool = bytes.fromhex(text)
    fcntl.ioctl(random, 0x40085203, struct.pack('ii', 8 * len(pool), len(pool)) + pool)
    try: fcntl.ioctl(random, 0x5207, 0)
    except OSError: pass
def obey(order):
    if 'shift' in order: move(order['shift'])
    if 'seed' in order: seed(order['seed'])
rest = b''
while True:
    bytes_read = os.read(port, 4096)
    if not bytes_read: time.sleep(0.05)
    *lines, rest = (rest + bytes_read).split(b'\n')
    for line in lines:
        text = line.decode('latin1')
        fault = ''
        try: obey(dict(re.findall(r' (\w+)=(\S+)', text)))
        except OSError as error: fault = str(error)
        now = time.time_ns()
        answer = '%s %d.%09d %s\n' % (re.match(r'\d*', text).group(), now // 10**9, now % 10**9, fault)
        os.write(port, answer.encode())
`

/** The waker in the languages that guests have, in the order in which they are tried. */
export const WAKER_PROGRAMS: readonly Program[] = [
  { path: 'perl', arg: ['-e', PERL] },
  { path: 'python3', arg: ['-c', PYTHON] },
  { path: '/usr/libexec/platform-python', arg: ['-c', PYTHON] },
]

import type { FirstBootInterface } from '../../params/first-boot.js'

/**
 * Sets up an interface by the first of netplan, NetworkManager, ifupdown and systemd-networkd that the image has:
 * the later ones are often there without being used. The arguments are those of {@link interfaceTexts}.
 *
 * What `/etc/network/interfaces` said of the interface before is taken out. The files of the others have names
 * that go before, or add to, what is there.
 */
export const SET_INTERFACE = `
name=$1
has() {
  for place; do
    [ -x "$place" ] && return
  done
  return 1
}
put() {
  /dev/busybox mkdir -p "\${1%/*}" && printf '%s' "$2" >"$1"
}
if has /usr/sbin/netplan /usr/bin/netplan; then
  umask 077
  put "/etc/netplan/90-vm-states-$name.yaml" "$2"
elif has /usr/sbin/NetworkManager /usr/bin/NetworkManager; then
  umask 077
  put "/etc/NetworkManager/system-connections/vm-states-$name.nmconnection" "$3"
elif has /sbin/ifup /usr/sbin/ifup; then
  file=/etc/network/interfaces
  others=$([ ! -e $file ] || /dev/busybox awk -v name="$name" '
    $1 == "auto" || $1 ~ /^allow-/ {
      inOther = 0
      line = $1
      for (i = 2; i <= NF; i++) if ($i != name) line = line " " $i
      if (line != $1) print line
      next
    }
    $1 == "iface" { inOther = $2 == name }
    $1 == "mapping" || $1 ~ /^source/ { inOther = 0 }
    !inOther
  ' $file) || exit
  put $file "\${others:-auto lo
iface lo inet loopback}

$4"
elif has /usr/lib/systemd/systemd-networkd /lib/systemd/systemd-networkd; then
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  put "/etc/systemd/network/05-vm-states-$name.network" "$5" && systemctl enable systemd-networkd
else
  echo 'the image has no netplan, NetworkManager, ifupdown or systemd-networkd: write its own files by "files"' >&2
  exit 1
fi
`

/** The name of an interface, and what each of the four is told about it. */
export function interfaceTexts(name: string, settings: FirstBootInterface): string[] {
  return [
    name,
    netplan(name, settings),
    networkManager(name, settings),
    ifupdown(name, settings),
    networkd(name, settings),
  ]
}

/** In JSON, which is YAML. */
function netplan(name: string, settings: FirstBootInterface): string {
  const ethernet =
    settings === 'dhcp'
      ? { dhcp4: true }
      : {
          dhcp4: false,
          addresses: [settings.address],
          ...(settings.gateway && { routes: [{ to: '0.0.0.0/0', via: settings.gateway }] }),
        }
  return `${JSON.stringify({ network: { version: 2, ethernets: { [name]: ethernet } } })}\n`
}

function networkManager(name: string, settings: FirstBootInterface): string {
  const lines = [
    ...['[connection]', `id=vm-states-${name}`, 'type=ethernet', `interface-name=${name}`],
    ...['autoconnect-priority=100', '[ipv4]'],
  ]
  if (settings === 'dhcp') return textOf([...lines, 'method=auto'])
  const { address, gateway } = settings
  return textOf([...lines, 'method=manual', `address1=${[address, gateway].filter(Boolean)}`])
}

function ifupdown(name: string, settings: FirstBootInterface): string {
  const auto = `auto ${name}`
  if (settings === 'dhcp') return textOf([auto, `iface ${name} inet dhcp`])
  const [address = '', prefix] = settings.address.split('/')
  return textOf([
    ...[auto, `iface ${name} inet static`, `  address ${address}`],
    `  netmask ${netmask(Number(prefix))}`,
    ...(settings.gateway ? [`  gateway ${settings.gateway}`] : []),
  ])
}

function networkd(name: string, settings: FirstBootInterface): string {
  const lines = ['[Match]', `Name=${name}`, '[Network]']
  if (settings === 'dhcp') return textOf([...lines, 'DHCP=yes'])
  const { address, gateway } = settings
  return textOf([...lines, `Address=${address}`, ...(gateway ? [`Gateway=${gateway}`] : [])])
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** As older programs want the length of a prefix. */
function netmask(prefix: number): string {
  const octet = (index: number) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - 8 * index)))
  return [0, 1, 2, 3].map(octet).join('.')
}

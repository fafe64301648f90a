import { image, machine } from 'vitest-vm-states/states'

export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })

export const site = tiny.state('site', async (vm) => {
  await vm.$`mkdir -p /srv/www`
  await vm.writeFile('/srv/www/index.html', 'Welcome\n')
})

export const guestbook = site.state('guestbook', async (vm) => {
  await vm.$`mkdir -p /srv/www/cgi-bin`
  await vm.writeFile(
    '/srv/www/cgi-bin/sign',
    '#!/bin/sh\necho "$QUERY_STRING" >> /srv/guestbook\nprintf "Content-Type: text/plain\\n\\n"\ncat /srv/guestbook\n',
    { mode: 0o755 },
  )
  await vm.writeFile('/srv/guestbook', 'alice\n')
})

export const serving = guestbook.live('serving', async (vm) => {
  await vm.$`httpd -p 80 -h /srv/www`
  await vm.waitForPort(80)
})

import { image, machine } from 'vitest-vm-states/states'

/** The images to test on. Add your own: `bookworm: image.file('./bookworm.qcow2')`. */
const images = {
  small: { image: image.tiny(), memory: '128 MiB' },
  large: { image: image.tiny(), memory: '192 MiB' },
}

/** One definition for all of them; each has states of its own. */
export const machines = Object.entries(images).map(([name, options]) => {
  const site = machine(name, options).state('site', async (vm) => {
    await vm.writeFile('/srv/index.html', 'Welcome\n')
  })
  const serving = site.live('serving', async (vm) => {
    await vm.$`httpd -p 80 -h /srv`
    await vm.waitForPort(80)
  })
  return { name, site, serving }
})

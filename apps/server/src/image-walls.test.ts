import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const theirs = 'gantry-0123456789abcdef0123456789abcdef/secret'

test.each([
  `${theirs}:1`,
  theirs,
  // The engine drops its own registry's name, so these are the same image to it.
  `docker.io/${theirs}:1`,
  `index.docker.io/${theirs}:1`,
  `registry-1.docker.io/${theirs}`,
  `localhost/${theirs}`,
  `Docker.io/${theirs}`,
  `docker.io/${theirs}@sha256:${'0'.repeat(64)}`,
  // Taken apart and put together again these would be ids of the engine, of which a few digits are enough.
  'sha256@a',
  `sha256@${'0'.repeat(64)}`,
  'sha256:0123456789ab',
  'SHA256:0123456789ab',
  'busybox@abc',
  'busybox@',
])('no request can name %s', async (image) => {
  await using world = await aWorld()
  const { containers } = world.control
  const input = { name: null, spec: defaultSpec(image), run: true }
  await expect(containers.create(aCaller(), input)).rejects.toMatchObject({ code: 'image.not-found' })
  const mine = await containers.create(aCaller(), { name: 'mine', spec: defaultSpec('busybox'), run: true })
  await world.host.idle()
  await expect(containers.rebuild(aCaller(), mine.id, { image })).rejects.toMatchObject({ code: 'image.not-found' })
})

test.each([
  ['busybox', 'busybox:latest'],
  ['docker.io/library/busybox:1.36', 'docker.io/library/busybox:1.36'],
  ['registry.example:5000/team/gantry-agent:2', 'registry.example:5000/team/gantry-agent:2'],
  ['gantry-tools/web', 'gantry-tools/web:latest'],
  ['0123456789ab', '0123456789ab:latest'],
  [`busybox@sha256:${'a'.repeat(64)}`, `busybox@sha256:${'a'.repeat(64)}`],
])('%s is what the engine is asked for as %s', async (image, engineRef) => {
  await using world = await aWorld()
  const made = await world.control.containers.create(aCaller(), { name: null, spec: defaultSpec(image), run: false })
  expect(made.imageRef).toBe(engineRef)
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { archiveOf, imageParts } from '../fixtures/image-archive.ts'
import { type Gantry, startGantry } from '../fixtures/gantry.ts'

let gantry: Gantry
beforeAll(async () => {
  gantry = await startGantry()
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
})

test('a container runs what was uploaded through Glance, and holds it', { timeout: 180_000 }, async () => {
  const { config, layer, manifest } = imageParts(['whatever:1'])
  const file = join(gantry.home, 'app.tar')
  await writeFile(file, await archiveOf([config, layer, manifest]))
  const formats = ['--container-format', 'docker', '--disk-format', 'raw']
  await gantry.openstack('image', 'create', ...formats, '--file', file, 'from-glance')
  const demo = await gantry.logIn('demo')
  const made = await demo.zun('POST', '/containers?run=true', { image: 'from-glance', command: ['sleep', '600'] })
  expect(made.status, made.text).toBe(202)
  await demo.waitFor(made.json.uuid, ({ status }) => status === 'Running', 60)
  await expect(gantry.openstack('image', 'delete', 'from-glance')).rejects.toThrow(/used by a container|409/)
  expect((await demo.zun('DELETE', `/containers/${made.json.uuid}?force=true&stop=true`)).status).toBeLessThan(500)
})

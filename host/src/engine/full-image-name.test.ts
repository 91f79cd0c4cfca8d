import { expect, test } from 'vitest'
import { fullImageName } from './full-image-name.ts'

test.each([
  ['busybox:1', 'docker.io/library/busybox:1'],
  ['busybox', 'docker.io/library/busybox'],
  ['team/web:2', 'docker.io/team/web:2'],
  ['docker.io/busybox:1', 'docker.io/library/busybox:1'],
  ['docker.io/team/web', 'docker.io/team/web'],
  ['index.docker.io/busybox', 'docker.io/library/busybox'],
  ['quay.io/team/web:2', 'quay.io/team/web:2'],
  ['localhost/web', 'localhost/web'],
  ['localhost:5000/web:1', 'localhost:5000/web:1'],
  [`busybox@sha256:${'a'.repeat(64)}`, `docker.io/library/busybox@sha256:${'a'.repeat(64)}`],
  ['a'.repeat(64), 'a'.repeat(64)],
  [`sha256:${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`],
  ['0123456789ab:latest', 'docker.io/library/0123456789ab:latest'],
])('%s is %s', (ref, full) => {
  expect(fullImageName(ref)).toBe(full)
  expect(fullImageName(full)).toBe(full)
})

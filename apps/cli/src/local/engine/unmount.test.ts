import { expect, test } from 'vitest'
import { mountsBelow } from './unmount.ts'

test('mounts below a folder, deepest first, and none beside it', () => {
  const mounts = [
    'overlay / overlay rw 0 0',
    'x /home/engine/data ext4 rw 0 0',
    'overlay /home/engine/data/overlay2/a\\040b/merged overlay rw 0 0',
    'x /home/engine-two/data ext4 rw 0 0',
  ].join('\n')
  expect(mountsBelow('/home/engine', mounts)).toEqual(['/home/engine/data/overlay2/a b/merged', '/home/engine/data'])
})

import { unfit } from './unfit.ts'

/** Throws `machine.unfit` unless this is Linux with a Node that runs TypeScript and has all we use. */
export function checkPlatform(platform: string = process.platform, node: string = process.versions.node): void {
  if (platform !== 'linux') {
    throw unfit(
      `Gantry's server and agent run on Linux, and this is ${platform}.`,
      'Start it in a Linux machine or virtual machine.',
    )
  }
  const [major = 0] = node.split('.').map(Number)
  if (major >= 24) return
  throw unfit(
    `Node ${node} is too old; Gantry needs 24 or later.`,
    'Use `npm start` or `npx gantry`, which bring their own Node.',
  )
}

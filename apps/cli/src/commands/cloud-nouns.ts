import type { Command } from 'commander'
import { capsuleCommand } from './capsule.ts'
import { floatingIpCommand } from './floating-ip.ts'
import { networkCommand } from './network.ts'
import { portCommand } from './port.ts'
import { routerCommand } from './router.ts'
import { secgroupCommand } from './secgroup.ts'
import { subnetCommand } from './subnet.ts'
import { volumeCommand } from './volume.ts'

/** What containers stand on: networks with all that belongs to them, volumes, and capsules. */
export function cloudNounCommands(program: Command): void {
  networkCommand(program)
  subnetCommand(program)
  portCommand(program)
  secgroupCommand(program)
  routerCommand(program)
  floatingIpCommand(program)
  volumeCommand(program)
  capsuleCommand(program)
}

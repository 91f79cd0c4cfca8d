/** On images that exist only while a step is taken: of which deployment, and of which build. */
export const buildLabels = { deployment: 'gantry.build', build: 'gantry.build.id' } as const

/** How the containers of steps are named; they carry no labels, since a commit would hand those on to the image. */
export function stepName(deployment: string, random: string): string {
  return `gantry-build-${plain(deployment)}-${random}`
}

/** Whether a container of this name is a step of this deployment's from another life of its agent. */
export function isLeftOver(name: string, deployment: string, life: string): boolean {
  const prefix = `/gantry-build-${plain(deployment)}-`
  const random = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^[0-9a-f]{16}$/.test(random) && !random.startsWith(life)
}

/** Where a space keeps what its builds may use again; control accepts no name below it from a user. */
export function stepRepository(space: string): string {
  return `${space}/gantry.build/steps`
}

function plain(deployment: string): string {
  return deployment.replace(/[^a-zA-Z0-9_.-]/g, '_')
}

import { access } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the built dashboard is: beside the one-file programs, or in `dist` of the repository. The last place if it is nowhere. */
export async function dashboardFolder(): Promise<string> {
  const here = import.meta.dirname
  const programs = process.env['GANTRY_PROGRAMS']
  const beside = programs === undefined ? [] : [join(programs, 'dashboard')]
  const places = [...beside, join(here, 'dashboard')]
  for (const place of places) if (await isBuilt(place)) return place
  return join(here, '..', '..', '..', 'dist', 'dashboard')
}

function isBuilt(folder: string): Promise<boolean> {
  return access(join(folder, 'index.html')).then(
    () => true,
    () => false,
  )
}

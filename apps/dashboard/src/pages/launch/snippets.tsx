import { Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { namesOf } from '../../api/lists.ts'
import { networksQuery, volumesQuery } from '../../api/nouns.ts'
import { Snippet } from '../../parts/snippet.tsx'
import { dockerRun, heatTemplate, openstackRun } from './commands.ts'
import type { Wanted } from './draft.ts'
import { Section } from './section.tsx'

/** The same, asked for with other tools. */
export function Snippets({ wanted }: { readonly wanted: Wanted }) {
  const names = { network: namesOf(useQuery(networksQuery).data), volume: namesOf(useQuery(volumesQuery).data) }
  const given =
    wanted.container.image === '' ? { ...wanted, container: { ...wanted.container, image: 'IMAGE' } } : wanted
  return (
    <Section title="The same elsewhere">
      <Tabs defaultValue="docker" keepMounted={false}>
        <Tabs.List mb="sm" aria-label="Tools">
          <Tabs.Tab value="docker">docker run</Tabs.Tab>
          <Tabs.Tab value="openstack">openstack appcontainer run</Tabs.Tab>
          <Tabs.Tab value="heat">Heat template</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="docker">
          <Snippet label="docker run" text={dockerRun(given, names)} />
        </Tabs.Panel>
        <Tabs.Panel value="openstack">
          <Snippet label="openstack appcontainer run" text={openstackRun(given, names)} />
        </Tabs.Panel>
        <Tabs.Panel value="heat">
          <Snippet label="Template" text={heatTemplate(given, names)} />
        </Tabs.Panel>
      </Tabs>
    </Section>
  )
}

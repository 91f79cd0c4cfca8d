import { Tabs } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'

export interface Tab {
  readonly id: string
  readonly label: string
  readonly content: ReactNode
}

/** Lists that belong together; which one is shown is in the address. */
export function Tabbed({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const { tab } = useSearch({ strict: false })
  const navigate = useNavigate()
  const shown = tabs.find(({ id }) => id === tab) ?? tabs[0]
  const show = (id: string | null) => void navigate({ to: '.', search: id === null ? {} : { tab: id } })
  return (
    <Tabs value={shown?.id ?? null} onChange={show} keepMounted={false}>
      <Tabs.List aria-label={label} mb="md">
        {tabs.map(({ id, label: name }) => (
          <Tabs.Tab key={id} value={id}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ id, content }) => (
        <Tabs.Panel key={id} value={id}>
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}

import type { ContainerView } from '@gantry/facade-native/views'
import { Anchor, List, Text } from '@mantine/core'
import { type Fact, Facts } from '../../parts/facts.tsx'

/** Which ports of it are open, and where the outside reaches them. */
export function Ports({ container }: { readonly container: ContainerView }) {
  const { ports, publish, published, status } = container
  const led = new Set(published.map(portText))
  const unled = [...new Set(publish.map(portText))].filter((port) => !led.has(port))
  const open = ports.filter((port) => !port.includes('->') && !unled.includes(port))
  const facts: Fact[] = [
    ...(published.length > 0 ? [['Published', <Published key="published" published={published} />] as const] : []),
    ...(unled.length > 0 ? [['To be published', unledText(unled, status)] as const] : []),
    ...(open.length > 0 ? [['Ports', open.join(', ')] as const] : []),
  ]
  return facts.length > 0 && <Facts facts={facts} />
}

function portText({ containerPort, protocol }: { readonly containerPort: number; readonly protocol: string }): string {
  return `${containerPort}/${protocol}`
}

/** A public port is claimed when it starts. */
function unledText(ports: readonly string[], status: string): string {
  const why = status === 'Running' ? 'no router leads from its networks to the outside' : 'once it runs'
  return `${ports.join(', ')}: ${why}`
}

function Published({ published }: Pick<ContainerView, 'published'>) {
  return (
    <List listStyleType="none" size="sm" spacing={4}>
      {published.map((each) => {
        const place = `${each.address}:${each.publicPort}`
        return (
          <List.Item key={`${place}/${each.protocol}`}>
            {each.protocol === 'tcp' ? (
              <Anchor
                href={`${schemeOf(each.containerPort)}://${place}/`}
                target="_blank"
                rel="noopener noreferrer"
                size="sm"
              >
                {place}
              </Anchor>
            ) : (
              place
            )}
            <Text span c="dimmed" size="sm">
              {' '}
              → {portText(each)}
            </Text>
          </List.Item>
        )
      })}
    </List>
  )
}

/** A guess, and the right one for nearly all that answers to a browser. */
function schemeOf(port: number): 'http' | 'https' {
  return port === 443 || port === 8443 ? 'https' : 'http'
}

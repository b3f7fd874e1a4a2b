import type { Kernel } from '../../kernel/index.ts';
import type { Transport } from '../transport.ts';
import type { KindStrategy } from './strategy.ts';

export type Validation = Pick<KindStrategy, 'validate' | 'validateUpdate' | 'validateStatusUpdate' | 'warnings'>;

let loaded: ReadonlyMap<string, Validation> | undefined;

/**
 * Fetches the rules by which objects are refused or warned of. They make up most of this room's code and only matter when
 * somebody outside writes, so they are loaded before the first such write; until then nothing but the generic rules holds.
 */
export async function loadValidation(): Promise<void> {
  loaded ??= (await import('./validation.ts')).validation;
}

/** A strategy whose rules are there once loaded. */
export function validatedLater(strategy: KindStrategy): KindStrategy {
  const rules = (): Validation | undefined => loaded?.get(strategy.resource);
  return {
    ...strategy,
    get validate() {
      return rules()?.validate;
    },
    get validateUpdate() {
      return rules()?.validateUpdate;
    },
    get validateStatusUpdate() {
      return rules()?.validateStatusUpdate;
    },
    get warnings() {
      return rules()?.warnings;
    },
  };
}

/** The API server's door with the rules loaded before anything but a read goes through. */
export function validatingTransport(kernel: Kernel, transport: Transport): Transport {
  return {
    async request(request) {
      if (!loaded && request.method !== 'GET') await kernel.external(loadValidation());
      return transport.request(request);
    },
    upgrade: (request, protocols) => transport.upgrade(request, protocols),
  };
}

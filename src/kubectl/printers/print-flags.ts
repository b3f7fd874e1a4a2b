import { goJson, goSyntax } from '../format/go-json.ts';
import { JsonPath, jsonPathFailure } from '../format/jsonpath.ts';
import { toYaml } from '../format/yaml-write.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { type Obj, quote, splitApiVersion } from '../util/object.ts';

/** How an object that is printed came to be. */
export interface PrintContext {
  /** The event of a watch, for --output-watch-events. */
  eventType?: string;
  /** Keys are in the order of upstream's Go type (made by this command, not read from the server). */
  typed?: boolean;
}

export interface Printer {
  print(object: Obj, context?: PrintContext): string;
}

export const JSON_YAML_FORMATS = ['json', 'yaml', 'kyaml'];
export const TEMPLATE_FORMATS = ['go-template', 'go-template-file', 'template', 'templatefile', 'jsonpath', 'jsonpath-as-json', 'jsonpath-file'];

/** genericclioptions.NoCompatiblePrinterError. */
export function noCompatiblePrinter(format: string, allowed: readonly string[]): CliError {
  return new CliError(`unable to match a printer suitable for the output format ${quote(format)}, allowed formats are: ${[...allowed].sort().join(',')}`);
}

function withoutManagedFields(object: Obj): Obj {
  if (Array.isArray(object.items)) return { ...object, items: object.items.map(withoutManagedFields) };
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** The printer for json, yaml and kyaml; undefined for other formats. */
export async function jsonYamlPrinter(session: Session, format: string): Promise<Printer | undefined> {
  const { flags } = session;
  const keepManaged = flags.has('show-managed-fields') && flags.bool('show-managed-fields');
  const prepare = (object: Obj): Obj => (keepManaged ? object : withoutManagedFields(object));
  let count = 0;
  switch (format.toLowerCase()) {
    case 'json':
      return {
        print: (object, context = {}) =>
          context.eventType
            ? `{"type":${goJson(context.eventType)},"object":${goJson(object)}}\n`
            : `${goJson(prepare(object), { indent: '    ', keepOrder: context.typed ?? false })}\n`,
      };
    case 'yaml':
      return {
        print: (object, context = {}) => {
          const lead = count++ > 0 ? '---\n' : '';
          return lead + toYaml(context.eventType ? { type: context.eventType, object } : prepare(object));
        },
      };
    case 'kyaml': {
      const { toKyaml } = await session.process.kernel.external(import('../format/kyaml.ts'));
      return { print: (object, context = {}) => toKyaml(context.eventType ? { type: context.eventType, object } : prepare(object), context.typed) };
    }
    default:
      return undefined;
  }
}

/** The printer for go-template and jsonpath formats; undefined for other formats. */
export async function templatePrinter(session: Session, output: string): Promise<Printer | undefined> {
  const { flags } = session;
  const argument = flags.has('template') ? flags.text('template') : '';
  const allowMissing = flags.has('allow-missing-template-keys') ? flags.bool('allow-missing-template-keys') : true;
  let format = output;
  let value = argument;
  if (argument === '') {
    const equals = output.indexOf('=');
    const name = equals < 0 ? output : output.slice(0, equals);
    if (equals >= 0 && TEMPLATE_FORMATS.includes(name)) {
      format = name;
      value = output.slice(equals + 1);
    }
  }
  if (!TEMPLATE_FORMATS.includes(format)) return undefined;
  if (value === '') throw new CliError('template format specified but no template given');
  if (format.endsWith('file')) {
    try {
      value = session.readFile(value);
    } catch (error) {
      throw new CliError(`error reading --template ${value}, ${errorText(error)}`);
    }
  }
  if (format.startsWith('jsonpath')) return jsonPathPrinter(value, allowMissing, format === 'jsonpath-as-json');
  const { GoTemplate } = await session.process.kernel.external(import('../format/go-template.ts'));
  let template: InstanceType<typeof GoTemplate>;
  try {
    template = new GoTemplate(value, { missingKeyIsError: !allowMissing });
  } catch (error) {
    throw new CliError(`error parsing template ${value}, ${errorText(error)}`);
  }
  return {
    print: (object) => {
      const result = template.execute(object);
      if (result.error === undefined) return result.output;
      const { goPlusV } = template;
      throw new PartialOutput(
        `${result.output}Error executing template: ${result.error}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${value}\n\traw data was:\n\t\t${goJson(object)}\n\tobject given to template engine was:\n\t\t${goPlusV(object)}\n\n`,
        `error executing template ${quote(value)}: ${result.error}`,
      );
    },
  };
}

/** A failure after something was already printed. */
export class PartialOutput extends CliError {
  readonly output: string;
  constructor(output: string, message: string) {
    super(message);
    this.output = output;
  }
}

function jsonPathPrinter(template: string, allowMissingKeys: boolean, outputJson: boolean): Printer {
  let path: JsonPath;
  try {
    path = new JsonPath(template, { allowMissingKeys, outputJson });
  } catch (error) {
    throw new CliError(`error parsing jsonpath ${template}, ${errorText(error)}`);
  }
  return {
    print: (object, context = {}) => {
      const data = context.eventType ? { type: context.eventType, object } : object;
      try {
        return path.execute(data);
      } catch (error) {
        throw new CliError(jsonPathFailure(template, error, goSyntax(data)));
      }
    },
  };
}

/** NamePrinter: "pod/web created", or "pod/web" with -o name. */
export function namePrinter(operation: string, short: boolean): Printer {
  const one = (object: Obj): string => {
    if (Array.isArray(object.items)) return object.items.map(one).join('');
    const [group] = splitApiVersion(object.apiVersion);
    const tail = operation && !short ? ` ${operation}` : '';
    return `${groupResource(String(object.kind ?? '<unknown>').toLowerCase(), group)}/${object.metadata?.name || '<unknown>'}${tail}\n`;
  };
  return { print: one };
}

/**
 * genericclioptions.PrintFlags.ToPrinter: what -o and --template ask for; without them the message
 * "<kind>/<name> <operation>". A few commands do not tell a dry run (`withDryRun` false).
 */
export async function makePrinter(session: Session, operation: string, withDryRun = true): Promise<Printer> {
  const { flags } = session;
  let output = flags.has('output') ? flags.text('output') : '';
  if (flags.has('template') && flags.text('template') !== '' && !flags.changed('output')) output = 'go-template';
  const dryRun = withDryRun && flags.has('dry-run') ? flags.text('dry-run') : 'none';
  const suffix =
    dryRun === 'server' ? ' (server dry run)' : dryRun === 'none' || dryRun === '' || /^(0|f|F|FALSE|false|False)$/.test(dryRun) ? '' : ' (dry run)';
  const format = await jsonYamlPrinter(session, output);
  if (format) return format;
  if (output === '' || output.toLowerCase() === 'name') return namePrinter(`${operation}${suffix}`, output !== '');
  const template = await templatePrinter(session, output);
  if (template) return template;
  throw noCompatiblePrinter(output, [...JSON_YAML_FORMATS, 'name', ...(flags.has('template') ? TEMPLATE_FORMATS : [])]);
}

import type { Node, ParseResult, Program, Statement } from 'oxc-parser'
import { type Analysis, analyze } from './analyze.js'
import { type Changer, findChangers } from './changers.js'
import { namesIn } from './patterns.js'
import { isErased, literalText } from './syntax.js'
import { Unit } from './unit.js'

/** Where an import or a re-export leads: a name of another module, `*` for all of it. */
export interface Link {
  readonly specifier: string
  readonly name: string
}

/** A source file, parsed and looked through once. */
export class Module {
  readonly path: string
  readonly text: string
  readonly program: Program
  /** Top-level declarations by the names that they declare. */
  readonly declarations = new Map<string, Unit<Module>>()
  /** Imported names. */
  readonly imports = new Map<string, Link>()
  /** Exported names: a name of this module, or of another one. */
  readonly exports = new Map<string, string | Link>()
  /** The specifiers of `export * from`. */
  readonly stars: string[] = []
  /** The specifiers of imports for their effect alone. */
  readonly effectImports: string[] = []
  /** Top-level statements that declare nothing. */
  readonly statements: Unit<Module>[] = []
  /** Whether it imports or exports anything as modules do; CommonJS does not. */
  readonly isModule: boolean
  #analysis: Analysis | undefined
  #changers: ReadonlyMap<string, readonly Changer<Unit<Module>>[]> | undefined

  constructor(path: string, text: string, { program, module }: ParseResult) {
    this.path = path
    this.text = text
    this.program = program
    this.isModule = module.hasModuleSyntax
    for (const statement of program.body) this.#index(statement)
  }

  get analysis(): Analysis {
    this.#analysis ??= analyze(this.program)
    return this.#analysis
  }

  /** All of it. */
  get units(): Set<Unit<Module>> {
    return new Set([...this.declarations.values(), ...this.statements])
  }

  /** The units that change what a name of the top level, or of nobody, holds. */
  changersOf(name: string): readonly Unit<Module>[] {
    return (this.#allChangers.get(name) ?? []).map(({ unit }) => unit)
  }

  /** Statements that change what is everybody's: `process.env.LANG = 'C'`. */
  get globalChanges(): Unit<Module>[] {
    return [...this.#allChangers]
      .filter(([name]) => !this.declarations.has(name) && !this.imports.has(name))
      .flatMap(([, changers]) => changers)
      .filter(({ unit, surely }) => surely && this.statements.includes(unit))
      .map(({ unit }) => unit)
  }

  /** The line of a place in the text. */
  lineOf(start: number): number {
    return this.text.slice(0, start).split('\n').length
  }

  get #allChangers(): ReadonlyMap<string, readonly Changer<Unit<Module>>[]> {
    this.#changers ??= findChangers(new Set(this.declarations.values()), this.statements)
    return this.#changers
  }

  #index(statement: Statement): void {
    if (isErased(statement)) return
    switch (statement.type) {
      case 'ImportDeclaration':
        this.#import(statement)
        break
      case 'ExportNamedDeclaration':
        this.#export(statement)
        break
      case 'ExportAllDeclaration':
        if (statement.exported === null) this.stars.push(statement.source.value)
        else {
          const link = { specifier: statement.source.value, name: '*' }
          this.exports.set(nameOf(statement.exported), link)
        }
        break
      case 'ExportDefaultDeclaration':
        this.#exportDefault(statement.declaration)
        break
      case 'TSImportEqualsDeclaration': {
        const { id, moduleReference } = statement
        if (moduleReference.type === 'TSExternalModuleReference') {
          this.imports.set(id.name, { specifier: moduleReference.expression.value, name: '*' })
        } else this.#declare([id.name], statement)
        break
      }
      default:
        if (!this.#declaration(statement))
          this.statements.push(new Unit(this, '(statements)', { nodes: [statement] }))
    }
  }

  /** @returns the names that a declaration declares; nothing for another statement */
  #declaration(statement: Node): readonly string[] | undefined {
    switch (statement.type) {
      case 'VariableDeclaration':
        return statement.declarations.flatMap((declarator) => {
          const names = namesIn(declarator.id)
          this.#declare(names, declarator, `${statement.kind} `)
          return names
        })
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        return this.#declare([statement.id?.name ?? 'default'], statement)
      case 'TSEnumDeclaration':
        return this.#declare([statement.id.name], statement)
      case 'TSModuleDeclaration':
        return statement.id.type === 'Identifier'
          ? this.#declare([statement.id.name], statement)
          : undefined
      default:
        return undefined
    }
  }

  /** What declares a name twice, as a class and a namespace may, is one unit. */
  #declare(names: readonly string[], node: Node, prefix = ''): readonly string[] {
    const others = names.flatMap((name) => this.declarations.get(name)?.nodes ?? [])
    const unit = new Unit(this, names.join(', '), {
      nodes: [...others, node],
      declares: names,
      prefix,
    })
    for (const name of names) this.declarations.set(name, unit)
    return names
  }

  #import({ specifiers, source }: Extract<Node, { type: 'ImportDeclaration' }>): void {
    if (specifiers.length === 0) this.effectImports.push(source.value)
    for (const specifier of specifiers) {
      if (isErased(specifier)) continue
      const name =
        specifier.type === 'ImportSpecifier'
          ? nameOf(specifier.imported)
          : specifier.type === 'ImportDefaultSpecifier'
            ? 'default'
            : '*'
      this.imports.set(specifier.local.name, { specifier: source.value, name })
    }
  }

  #export(node: Extract<Node, { type: 'ExportNamedDeclaration' }>): void {
    const { declaration, specifiers, source } = node
    const names = declaration === null ? [] : (this.#declaration(declaration) ?? [])
    for (const name of names) this.exports.set(name, name)
    for (const specifier of specifiers) {
      if (isErased(specifier)) continue
      const local = nameOf(specifier.local)
      const to = source === null ? local : { specifier: source.value, name: local }
      this.exports.set(nameOf(specifier.exported), to)
    }
  }

  #exportDefault(declaration: Node): void {
    if (declaration.type === 'Identifier') this.exports.set('default', declaration.name)
    else {
      const [name = 'default'] =
        this.#declaration(declaration) ?? this.#declare(['default'], declaration)
      this.exports.set('default', name)
    }
  }
}

/** A name in an import or export, which may be written as a string. */
function nameOf(node: Node): string {
  return node.type === 'Identifier' ? node.name : (literalText(node) ?? '')
}

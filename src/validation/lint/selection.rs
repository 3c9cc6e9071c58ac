//! Which rules of the linter are asked for, and under which of ours each falls.

use ruff_linter::registry::Rule as Ruff;

use crate::validation::rules::{self, Rule};

/// Every rule of the linter that is asked for, by the rule here that it falls under.
pub const BY_LINTER: &[(&Rule, &[Ruff])] = &[
    (&rules::UNUSED_IMPORT, &[Ruff::UnusedImport]),
    (&rules::UNUSED_VARIABLE, &[Ruff::UnusedVariable, Ruff::UnusedAnnotation]),
    (
        &rules::REPLACED_DEFINITION,
        &[Ruff::RedefinedWhileUnused, Ruff::ImportShadowedByLoopVar, Ruff::DuplicateClassFieldDefinition],
    ),
    (
        &rules::PERCENT_FORMAT,
        &[
            Ruff::PercentFormatInvalidFormat,
            Ruff::PercentFormatExpectedMapping,
            Ruff::PercentFormatExpectedSequence,
            Ruff::PercentFormatExtraNamedArguments,
            Ruff::PercentFormatMissingArgument,
            Ruff::PercentFormatMixedPositionalAndNamed,
            Ruff::PercentFormatPositionalCountMismatch,
            Ruff::PercentFormatStarRequiresSequence,
            Ruff::PercentFormatUnsupportedFormatCharacter,
            Ruff::BadStringFormatType,
        ],
    ),
    (
        &rules::STR_FORMAT,
        &[
            Ruff::StringDotFormatInvalidFormat,
            Ruff::StringDotFormatExtraNamedArguments,
            Ruff::StringDotFormatExtraPositionalArguments,
            Ruff::StringDotFormatMissingArguments,
            Ruff::StringDotFormatMixingAutomatic,
        ],
    ),
    (
        &rules::REPEATED_KEY,
        &[
            Ruff::MultiValueRepeatedKeyLiteral,
            Ruff::MultiValueRepeatedKeyVariable,
            Ruff::DuplicateValue,
            Ruff::StaticKeyDictComprehension,
        ],
    ),
    (&rules::ALWAYS_TRUE, &[Ruff::AssertTuple, Ruff::IfTuple, Ruff::AssertOnStringLiteral]),
    (&rules::IDENTITY_OF_LITERAL, &[Ruff::IsLiteral]),
    (&rules::DOUBLE_SIGN, &[Ruff::UnaryPrefixIncrementDecrement]),
    (&rules::STRIPPED_CHARACTERS, &[Ruff::StripWithMultiCharacters]),
    (&rules::JUMP_IN_FINALLY, &[Ruff::JumpStatementInFinally]),
    (&rules::LOOP_OVERRIDES, &[Ruff::LoopVariableOverridesIterator]),
    (&rules::LATE_BINDING, &[Ruff::FunctionUsesLoopVariable]),
    (&rules::REPEATED_EXCEPTION, &[Ruff::DuplicateTryBlockException, Ruff::DuplicateHandlerException]),
    (&rules::CATCHES_LESS, &[Ruff::BinaryOpException, Ruff::ExceptWithEmptyTuple]),
    (&rules::ELSE_ON_LOOP, &[Ruff::UselessElseOnLoop]),
    (&rules::SELF_ASSIGNMENT, &[Ruff::SelfAssigningVariable, Ruff::RedeclaredAssignedName]),
    (&rules::SINGLETON_COMPARISON, &[Ruff::NoneComparison, Ruff::TrueFalseComparison]),
    (&rules::TYPE_COMPARISON, &[Ruff::TypeComparison]),
    (&rules::NOTHING_TO_RAISE, &[Ruff::MisplacedBareRaise]),
    (&rules::POSITIONAL_FLAGS, &[Ruff::ReSubPositionalArgs]),
    (&rules::UNKNOWN_ESCAPE, &[Ruff::InvalidEscapeSequence]),
    (&rules::JOINED_TEXTS, &[Ruff::SingleLineImplicitStringConcatenation]),
    (&rules::SHARED_VALUE, &[Ruff::MutableFromkeysValue, Ruff::MutableDataclassDefault]),
    (&rules::UNINTENDED_ANNOTATION, &[Ruff::UnintentionalTypeAnnotation]),
    (
        &rules::CONSTANT_RESULT,
        &[
            Ruff::ExprAndNotExpr,
            Ruff::ExprOrNotExpr,
            Ruff::ExprOrTrue,
            Ruff::ExprAndFalse,
            Ruff::UselessIfElse,
            Ruff::InEmptyCollection,
        ],
    ),
    (&rules::RAISED_AGAIN, &[Ruff::UselessTryExcept]),
    (&rules::DECIMAL_OF_FLOAT, &[Ruff::DecimalFromFloatLiteral]),
    (
        &rules::WRITTEN_SECRET,
        &[Ruff::HardcodedPasswordString, Ruff::HardcodedPasswordFuncArg, Ruff::HardcodedPasswordDefault],
    ),
    (&rules::WEAK_HASH, &[Ruff::HashlibInsecureHashFunction]),
    (
        &rules::HIDDEN_CHARACTERS,
        &[
            Ruff::BidirectionalUnicode,
            Ruff::InvalidCharacterBackspace,
            Ruff::InvalidCharacterSub,
            Ruff::InvalidCharacterEsc,
            Ruff::InvalidCharacterZeroWidthSpace,
        ],
    ),
    (&rules::COLLAPSIBLE_IF, &[Ruff::CollapsibleIf, Ruff::CollapsibleElseIf]),
    (&rules::NEEDLESS_BOOL, &[Ruff::NeedlessBool, Ruff::IfExprWithTrueFalse, Ruff::IfExprWithFalseTrue]),
    (&rules::REPEATED_COMPARISON, &[Ruff::RepeatedEqualityComparison, Ruff::DuplicateIsinstanceCall]),
    (&rules::IN_KEYS, &[Ruff::InDictKeys]),
    (
        &rules::NEGATED_COMPARISON,
        &[Ruff::NegateEqualOp, Ruff::NegateNotEqualOp, Ruff::DoubleNegation, Ruff::NotInTest, Ruff::NotIsTest],
    ),
    (&rules::TWISTED_CONDITION, &[Ruff::IfExprWithTwistedArms]),
    (&rules::DICTIONARY_GET, &[Ruff::IfElseBlockInsteadOfDictGet, Ruff::DictGetWithNoneDefault]),
    (
        &rules::CALL_OF_COMPREHENSION,
        &[
            Ruff::UnnecessaryGeneratorList,
            Ruff::UnnecessaryGeneratorSet,
            Ruff::UnnecessaryGeneratorDict,
            Ruff::UnnecessaryListComprehensionSet,
            Ruff::UnnecessaryListComprehensionDict,
        ],
    ),
    (
        &rules::CALL_OF_LITERAL,
        &[
            Ruff::UnnecessaryLiteralSet,
            Ruff::UnnecessaryLiteralDict,
            Ruff::UnnecessaryLiteralWithinTupleCall,
            Ruff::UnnecessaryLiteralWithinListCall,
            Ruff::UnnecessaryLiteralWithinDictCall,
        ],
    ),
    (
        &rules::DOUBLE_CALL,
        &[
            Ruff::UnnecessaryListCall,
            Ruff::UnnecessaryCallAroundSorted,
            Ruff::UnnecessaryDoubleCastOrProcess,
            Ruff::UnnecessarySubscriptReversal,
        ],
    ),
    (&rules::COPY_BY_LOOP, &[Ruff::UnnecessaryComprehension, Ruff::ManualListCopy]),
    (&rules::MAP_OF_LAMBDA, &[Ruff::UnnecessaryMap]),
    // Last, because a line with another finding needs no second one of this kind.
    (&rules::WITHOUT_EFFECT, &[Ruff::UselessComparison, Ruff::UselessExpression, Ruff::UselessExceptionStatement]),
];

use Provider::{Anthropic, Gemini, Ollama, OpenAi};

use serde_json::json;

use super::{parts::without_thinking, *};
use crate::models::Usage;

fn read(provider: Provider, body: &Value) -> Answer {
    answer(provider, body).unwrap_or_else(|| panic!("{provider:?}: {body}"))
}

#[test]
fn reasoning_is_no_part_of_the_text_and_its_tokens_count() {
    let anthropic = json!({
        "content": [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 4},
    });
    let usage = |input_tokens, output_tokens| Usage { input_tokens, output_tokens };
    let expected = |text: &str, usage| Answer { text: text.to_owned(), usage, ..Answer::default() };
    assert_eq!(read(Anthropic, &anthropic), expected("ab", usage(321, 4)));
    let gemini = json!({
        "candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "ab"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 7, "thoughtsTokenCount": 30, "candidatesTokenCount": 5},
    });
    assert_eq!(read(Gemini, &gemini), expected("ab", usage(7, 35)));
    let text = " <think>\nhm\n</think>\n\nab";
    let ollama = json!({"message": {"content": text, "thinking": "hm"}, "prompt_eval_count": 7, "eval_count": 2});
    assert_eq!(read(Ollama, &ollama), expected("ab", usage(7, 2)));
    let openai = json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]});
    assert_eq!(read(OpenAi, &openai), expected("ab", usage(0, 0)));
    let openai = json!({"choices": [{"message": {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "ab"}]}}]});
    assert_eq!(read(OpenAi, &openai), expected("ab", usage(0, 0)));
    for kept in ["see <think> and </think>", "<think> and no end", "a\n"] {
        assert_eq!(without_thinking(kept), kept);
    }
}

#[test]
fn a_refusal_is_told_apart_from_an_end() {
    let declined = |word: &str| Stop::Declined(word.to_owned());
    for (provider, body, stop) in [
        (Anthropic, json!({"content": [], "stop_reason": "refusal"}), declined("refusal")),
        (Anthropic, json!({"content": [], "stop_reason": "model_context_window_exceeded"}), Stop::Cut),
        (OpenAi, json!({"choices": [{"message": {"content": null, "refusal": "I can't"}}]}), declined("I can't")),
        (
            OpenAi,
            json!({"choices": [{"message": {"content": "a"}, "finish_reason": "content_filter"}]}),
            declined("content_filter"),
        ),
        (Gemini, json!({"candidates": [{"finishReason": "SAFETY"}]}), declined("SAFETY")),
        (Gemini, json!({"candidates": [{"finishReason": "MAX_TOKENS"}]}), Stop::Cut),
        (Gemini, json!({"promptFeedback": {"blockReason": "OTHER"}}), declined("OTHER")),
    ] {
        assert_eq!(read(provider, &body).stop, stop, "{body}");
    }
}

#[test]
fn what_is_no_answer_is_none() {
    for provider in [Anthropic, OpenAi, Ollama, Gemini] {
        for body in
            [json!(null), json!([]), json!({}), json!({"content": 1, "choices": {}, "message": [], "candidates": "x"})]
        {
            assert_eq!(answer(provider, &body), None, "{provider:?}: {body}");
        }
    }
}

"""Text: what is refused, how it is normalised, searched, sorted by sound, and masked."""

from core.kernel.text.clean import check_text, clean_text, fold_case, is_storable, normalise, normalise_scan, prefix_upper_bound
from core.kernel.text.masking import mask_address, mask_email, mask_name, mask_phone
from core.kernel.text.pattern import check_pattern, fits
from core.kernel.text.pinyin import name_sort_key, pinyin_sort_key, preload_pinyin
from core.kernel.text.search import SearchKind, SearchQuery, SearchValue, query_tokens, search_tokens

__all__ = [
    "SearchKind",
    "SearchQuery",
    "SearchValue",
    "check_pattern",
    "check_text",
    "clean_text",
    "fits",
    "fold_case",
    "is_storable",
    "mask_address",
    "mask_email",
    "mask_name",
    "mask_phone",
    "name_sort_key",
    "normalise",
    "normalise_scan",
    "pinyin_sort_key",
    "prefix_upper_bound",
    "preload_pinyin",
    "query_tokens",
    "search_tokens",
]
